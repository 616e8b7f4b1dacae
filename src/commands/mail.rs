//! Trying the mail server, from the command line.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use lettre::message::{Mailbox, Message};

use crate::app::App;
use crate::ids::label;
use crate::mail::smtp::Outcome;
use crate::tenants;

#[derive(Subcommand)]
pub(super) enum MailCommand {
    /// Send one mail, past the outbox, and print what the server answered.
    Test {
        /// Where to.
        address: lettre::Address,
        /// The tenant it comes from; the first one when left out.
        #[arg(long)]
        tenant: Option<String>,
    },
}

impl MailCommand {
    pub(super) async fn run(self, app: App) -> anyhow::Result<()> {
        let Self::Test { address, tenant } = self;
        let mut tx = app.db.read().await?;
        let tenant = match &tenant {
            Some(slug) => tenants::by_slug(&mut tx, slug).await?,
            None => tenants::first(&mut tx).await?,
        };
        drop(tx);
        let tenant =
            tenant.context("there is no such tenant: add one with `passerelle tenant add`")?;
        let from: lettre::Address = tenant.sender_address.parse().context("the tenant's sender")?;
        let message = Message::builder()
            .from(Mailbox::new(Some(tenant.sender_name.clone()), from.clone()))
            .to(Mailbox::new(None, address.clone()))
            .subject(format!("{}: Passerelle", tenant.name))
            .date(app.clock.now().into())
            .message_id(Some(format!("<{}@{}>", label(), from.domain())))
            .body(
                "Passerelle can send mail. / Passerelle peut envoyer des courriels.\r\n".to_owned(),
            )
            .context("the mail cannot be put together")?;
        match app.smtp.send(from, address, &message.formatted()).await {
            Outcome::Accepted(answer) => say!("Accepted: {answer}"),
            Outcome::Deferred(answer) => bail!("not now: {answer}"),
            Outcome::Refused(answer) => bail!("refused: {answer}"),
            Outcome::Unknown(answer) => bail!("sent, and the answer is lost: {answer}"),
        }
        Ok(())
    }
}
