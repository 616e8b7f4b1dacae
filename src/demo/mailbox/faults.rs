//! How the receiver misbehaves on demand: the answers real mail servers give.

use serde::{Deserialize, Serialize};

/// Everything that can go wrong. The default is a receiver that takes every mail.
/// Counters are used up, one a case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailFaults {
    /// Greet the next connections with 554 and close.
    pub refuse_greeting: u32,
    /// Close the next connections without a word.
    pub drop_at_greeting: u32,
    /// Answer the next MAIL commands with 421 and close.
    pub unavailable_at_mail: u32,
    /// Answer the next RCPT commands with 451 4.7.1, as greylisting does.
    pub greylist: u32,
    /// Addresses refused with 550 5.1.1, compared without regard to case.
    pub unknown_recipients: Vec<String>,
    /// Answer the next RCPT commands with 550 5.1.1, whoever they name.
    pub refuse_recipients: u32,
    /// Refuse the next messages with 554 5.7.1 after their last line.
    pub refuse_data: u32,
    /// Put the next messages off with 451 4.3.0 after their last line.
    pub defer_data: u32,
    /// Keep the next messages, then cut the connection without an answer (RFC 1047).
    pub store_and_drop: u32,
    /// Cut the connection at the end of the next messages without keeping them.
    pub drop_at_data: u32,
    /// Milliseconds before every answer.
    pub delay: u64,
    /// Milliseconds before the answer to a message's last line.
    pub delay_after_data: u64,
}

/// Takes one from a counter; whether there was one.
pub(super) fn take(counter: &mut u32) -> bool {
    let armed = *counter > 0;
    *counter = counter.saturating_sub(1);
    armed
}
