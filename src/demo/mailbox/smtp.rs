//! The SMTP conversation (RFC 5321), with SIZE, 8BITMIME, SMTPUTF8, PIPELINING and
//! enhanced status codes. Accepts mail for everybody, keeps it, never sends any.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{Mailbox, faults::take};

/// Octets of a command line, CRLF included; twice the RFC's minimum and room for options.
const LINE_LIMIT: usize = 2_048;
/// Octets of a line of a message. RFC 5321 allows 1,000; real senders write longer ones.
const TEXT_LINE_LIMIT: usize = 1024 * 1024;
/// Octets of a message.
const MESSAGE_LIMIT: usize = 25 * 1024 * 1024;
/// Recipients of one message (RFC 5321, 4.5.3.1.8 asks for 100).
const RECIPIENT_LIMIT: usize = 1_000;
/// Bad commands before the conversation is ended.
const ERROR_LIMIT: u32 = 20;
/// How long a silent client is waited for.
const IDLE: Duration = Duration::from_mins(5);

/// Accepts connections until told to stop.
pub(super) async fn listen(
    mailbox: Mailbox,
    listener: TcpListener,
    connections: usize,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(connections));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the mailbox could not accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let mailbox = mailbox.clone();
        let stop = stop.clone();
        tokio::spawn(async move {
            let talk = converse(mailbox, stream);
            tokio::select! {
                () = stop.cancelled() => {}
                ended = talk => if let Err(error) = ended {
                    tracing::debug!(%error, "an SMTP conversation broke off");
                },
            }
            drop(place);
        });
    }
}

/// What has been agreed on in the current transaction.
#[derive(Default)]
struct Envelope {
    from: Option<String>,
    recipients: Vec<String>,
}

/// What follows a command.
enum Next {
    Reply(&'static str),
    Message,
    Quit,
    /// 421, then close.
    Unavailable,
}

async fn converse(mailbox: Mailbox, stream: TcpStream) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    if take(&mut mailbox.faults().drop_at_greeting) {
        return Ok(());
    }
    if take(&mut mailbox.faults().refuse_greeting) {
        return reply(&mailbox, &mut writing, "554 5.3.2 No service here today").await;
    }
    reply(&mailbox, &mut writing, "220 mailbox.campus.example ESMTP").await?;
    let mut greeted = false;
    let mut envelope = Envelope::default();
    let mut errors = 0;
    loop {
        let line = match read_line(&mut reading, LINE_LIMIT).await? {
            Line::End => return Ok(()),
            Line::TooLong => {
                errors += 1;
                reply(&mailbox, &mut writing, "500 5.5.6 Line too long").await?;
                if errors >= ERROR_LIMIT {
                    return Ok(());
                }
                continue;
            }
            Line::Text(line) => line,
        };
        match command(&mailbox, &line, &mut greeted, &mut envelope) {
            Next::Reply(text) => {
                if text.starts_with('5') {
                    errors += 1;
                    if errors >= ERROR_LIMIT {
                        return reply(&mailbox, &mut writing, "421 4.7.0 Too many errors").await;
                    }
                }
                reply(&mailbox, &mut writing, text).await?;
            }
            Next::Quit => return reply(&mailbox, &mut writing, "221 2.0.0 Bye").await,
            Next::Unavailable => {
                return reply(&mailbox, &mut writing, "421 4.3.2 Shutting down").await;
            }
            Next::Message => {
                reply(&mailbox, &mut writing, "354 End data with <CR><LF>.<CR><LF>").await?;
                let Some(raw) = read_message(&mut reading).await? else {
                    envelope = Envelope::default();
                    reply(&mailbox, &mut writing, "552 5.3.4 Message too big").await?;
                    continue;
                };
                let Some(text) = deliver(&mailbox, std::mem::take(&mut envelope), raw).await else {
                    return Ok(());
                };
                reply(&mailbox, &mut writing, text).await?;
            }
        }
    }
}

/// The end of a message: keep it, or do what was asked to go wrong. `None` cuts the line.
async fn deliver(mailbox: &Mailbox, envelope: Envelope, raw: Vec<u8>) -> Option<&'static str> {
    let (delay, refuse, defer, drop_before, drop_after) = {
        let mut faults = mailbox.faults();
        let faults = &mut *faults;
        let refuse = take(&mut faults.refuse_data);
        let defer = !refuse && take(&mut faults.defer_data);
        let drop_before = !refuse && !defer && take(&mut faults.drop_at_data);
        let drop_after = !refuse && !defer && !drop_before && take(&mut faults.store_and_drop);
        (faults.delay_after_data, refuse, defer, drop_before, drop_after)
    };
    pause(delay).await;
    if refuse {
        return Some("554 5.7.1 Message refused by policy");
    }
    if defer {
        return Some("451 4.3.0 Try again later");
    }
    if drop_before {
        return None;
    }
    mailbox.keep(envelope.from.unwrap_or_default(), envelope.recipients, raw);
    if drop_after { None } else { Some("250 2.0.0 Kept") }
}

fn command(mailbox: &Mailbox, line: &[u8], greeted: &mut bool, envelope: &mut Envelope) -> Next {
    let Ok(line) = std::str::from_utf8(line) else {
        return Next::Reply("500 5.5.2 Not UTF-8");
    };
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" | "HELO" if rest.is_empty() => Next::Reply("501 5.5.4 A name is needed"),
        "HELO" => {
            *greeted = true;
            *envelope = Envelope::default();
            Next::Reply("250 mailbox.campus.example")
        }
        "EHLO" => {
            *greeted = true;
            *envelope = Envelope::default();
            Next::Reply(
                "250-mailbox.campus.example\r\n250-SIZE 26214400\r\n250-8BITMIME\r\n\
                 250-SMTPUTF8\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES",
            )
        }
        "MAIL" => mail(mailbox, rest, *greeted, envelope),
        "RCPT" => recipient(mailbox, rest, envelope),
        "DATA" if !rest.is_empty() => Next::Reply("501 5.5.4 DATA takes no argument"),
        "DATA" if envelope.recipients.is_empty() => Next::Reply("503 5.5.1 No recipient yet"),
        "DATA" => Next::Message,
        "RSET" => {
            *envelope = Envelope::default();
            Next::Reply("250 2.0.0 Forgotten")
        }
        "NOOP" => Next::Reply("250 2.0.0 Still here"),
        "VRFY" => Next::Reply("252 2.5.0 Send it and see"),
        "HELP" => Next::Reply("214 2.0.0 See RFC 5321"),
        "QUIT" => Next::Quit,
        "EXPN" | "STARTTLS" | "AUTH" | "BDAT" => Next::Reply("502 5.5.1 Not offered"),
        _ => Next::Reply("500 5.5.2 Unknown command"),
    }
}

/// RFC 5321, 4.1.1.2.
fn mail(mailbox: &Mailbox, rest: &str, greeted: bool, envelope: &mut Envelope) -> Next {
    if !greeted {
        return Next::Reply("503 5.5.1 EHLO first");
    }
    if envelope.from.is_some() {
        return Next::Reply("503 5.5.1 One MAIL at a time");
    }
    let Some((address, options)) = path(rest, "FROM:") else {
        return Next::Reply("501 5.1.7 Sender not understood");
    };
    if take(&mut mailbox.faults().unavailable_at_mail) {
        return Next::Unavailable;
    }
    for option in options.split_whitespace() {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" => match value.parse::<usize>() {
                Ok(size) if size > MESSAGE_LIMIT => {
                    return Next::Reply("552 5.3.4 Message too big");
                }
                Ok(_) => {}
                Err(_) => return Next::Reply("501 5.5.4 SIZE is a number"),
            },
            "BODY" if matches!(value.to_ascii_uppercase().as_str(), "7BIT" | "8BITMIME") => {}
            "SMTPUTF8" if value.is_empty() => {}
            _ => return Next::Reply("555 5.5.4 Unknown parameter"),
        }
    }
    envelope.from = Some(address.to_owned());
    Next::Reply("250 2.1.0 Sender noted")
}

/// RFC 5321, 4.1.1.3.
fn recipient(mailbox: &Mailbox, rest: &str, envelope: &mut Envelope) -> Next {
    if envelope.from.is_none() {
        return Next::Reply("503 5.5.1 MAIL first");
    }
    let Some((address, options)) = path(rest, "TO:").filter(|(address, _)| !address.is_empty())
    else {
        return Next::Reply("501 5.1.3 Recipient not understood");
    };
    if !options.is_empty() {
        return Next::Reply("555 5.5.4 Unknown parameter");
    }
    if envelope.recipients.len() >= RECIPIENT_LIMIT {
        return Next::Reply("452 4.5.3 Too many recipients");
    }
    let mut faults = mailbox.faults();
    if take(&mut faults.greylist) {
        return Next::Reply("451 4.7.1 Greylisted, try again later");
    }
    let unknown = faults
        .unknown_recipients
        .iter()
        .any(|refused| refused.to_lowercase() == address.to_lowercase());
    if unknown || take(&mut faults.refuse_recipients) {
        return Next::Reply("550 5.1.1 No such user");
    }
    envelope.recipients.push(address.to_owned());
    Next::Reply("250 2.1.5 Recipient noted")
}

/// `FROM:<address> options`; the address without its brackets and the options.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let start = rest.get(..keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = rest.get(keyword.len()..)?.trim_start().strip_prefix('<')?;
    let (address, options) = rest.split_once('>')?;
    let plain = !address.contains(['<', ' ']) && !address.contains(char::is_control);
    // A null reverse path, a mailbox, or the postmaster of this place.
    let known = address.is_empty()
        || address.eq_ignore_ascii_case("postmaster")
        || address
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    (plain && known).then_some((address, options.trim()))
}

async fn pause(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

async fn reply(
    mailbox: &Mailbox,
    writing: &mut (impl AsyncWrite + Unpin),
    text: &str,
) -> io::Result<()> {
    let delay = mailbox.faults().delay;
    pause(delay).await;
    writing.write_all(text.as_bytes()).await?;
    writing.write_all(b"\r\n").await?;
    writing.flush().await
}

enum Line {
    /// Without its line end.
    Text(Vec<u8>),
    TooLong,
    End,
}

/// Reads a line of at most `limit` octets; the rest of a longer one is passed over.
async fn read_line<R: AsyncRead + Unpin>(
    reading: &mut BufReader<R>,
    limit: usize,
) -> io::Result<Line> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let available = timeout(IDLE, reading.fill_buf())
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        if available.is_empty() {
            return Ok(Line::End);
        }
        let (taken, ended) = match available.iter().position(|octet| *octet == b'\n') {
            Some(at) => (at + 1, true),
            None => (available.len(), false),
        };
        if line.len() + taken > limit {
            too_long = true;
            line.clear();
        } else if !too_long {
            line.extend_from_slice(available.get(..taken).unwrap_or_default());
        }
        reading.consume(taken);
        if ended {
            break;
        }
    }
    if too_long {
        return Ok(Line::TooLong);
    }
    while line.last().is_some_and(|octet| matches!(octet, b'\r' | b'\n')) {
        line.pop();
    }
    Ok(Line::Text(line))
}

/// Reads up to the lone dot and takes the dot-stuffing away (RFC 5321, 4.5.2). `None` for
/// a message over the limit, which is read to its end all the same.
async fn read_message<R: AsyncRead + Unpin>(
    reading: &mut BufReader<R>,
) -> io::Result<Option<Vec<u8>>> {
    let mut raw = Vec::new();
    let mut too_big = false;
    loop {
        match read_line(reading, TEXT_LINE_LIMIT).await? {
            Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
            Line::TooLong => too_big = true,
            Line::Text(line) if line == b"." => break,
            Line::Text(line) => {
                let line = line.strip_prefix(b".").unwrap_or(&line);
                if raw.len() + line.len() + 2 > MESSAGE_LIMIT {
                    too_big = true;
                } else if !too_big {
                    raw.extend_from_slice(line);
                    raw.extend_from_slice(b"\r\n");
                }
            }
        }
    }
    Ok((!too_big).then_some(raw))
}
