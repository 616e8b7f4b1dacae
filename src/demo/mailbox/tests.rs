//! The mailbox through its door: raw SMTP over TCP, pages over HTTP.

use std::{future::pending, net::SocketAddr};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::*;

const MAIL: &str = "From: =?utf-8?Q?H=C3=A9l=C3=A8ne?= <h@campus.example>\r\n\
To: zoe@campus.example\r\n\
Subject: =?utf-8?Q?Votre_certificat_=C2=AB_d=C3=A9buter_=C2=BB?=\r\n\
Message-ID: <1@passerelle.example>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\
\r\n\
--b\r\n\
Content-Type: multipart/alternative; boundary=c\r\n\
\r\n\
--c\r\n\
Content-Type: text/plain; charset=utf-8\r\n\
\r\n\
Bonjour Zo\u{e9}, voyez https://verify.example/x?a=b&c=d.\r\n\
.une ligne \u{e0} point\r\n\
--c\r\n\
Content-Type: text/html; charset=utf-8\r\n\
\r\n\
<!DOCTYPE html><html><head><title>x</title></head><body><p>Bonjour</p><script>alert(1)</script></body></html>\r\n\
--c--\r\n\
--b\r\n\
Content-Type: application/pdf; name=\"certificat.pdf\"\r\n\
Content-Disposition: attachment; filename=\"certificat.pdf\"\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
JVBERi0xLjc=\r\n\
--b\r\n\
Content-Type: text/html\r\n\
Content-Disposition: attachment; filename=\"page.html\"\r\n\
\r\n\
<script>alert(1)</script>\r\n\
--b--\r\n";

#[expect(clippy::disallowed_methods, reason = "the test is where the time comes in")]
fn test_clock() -> DateTime<Utc> {
    Utc::now()
}

async fn open() -> Mailbox {
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    super::start(bind, Arc::new(test_clock), pending()).await.unwrap()
}

struct Talk {
    reading: BufReader<OwnedReadHalf>,
    writing: OwnedWriteHalf,
}

impl Talk {
    async fn begin(mailbox: &Mailbox) -> Self {
        let (reading, writing) =
            TcpStream::connect(mailbox.smtp_address).await.unwrap().into_split();
        Self { reading: BufReader::new(reading), writing }
    }

    /// The last line of an answer; empty when the connection ended.
    async fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            if self.reading.read_line(&mut line).await.unwrap_or(0) == 0 {
                return String::new();
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.writing.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    /// Says each line and looks at the code of each answer.
    async fn expect(&mut self, steps: &[(&str, &str)]) {
        for (line, code) in steps {
            let answer = self.say(line).await;
            assert!(answer.starts_with(code), "{line} -> {answer}, not {code}");
        }
    }

    async fn greeted(mailbox: &Mailbox) -> Self {
        let mut talk = Self::begin(mailbox).await;
        assert!(talk.answer().await.starts_with("220"));
        talk.expect(&[("EHLO client.example", "250")]).await;
        talk
    }

    /// From MAIL to the lone dot.
    async fn mail(&mut self) -> String {
        self.expect(&[
            ("MAIL FROM:<b+1@passerelle.example> SIZE=900 BODY=8BITMIME", "250"),
            ("RCPT TO:<zoe@campus.example>", "250"),
            ("DATA", "354"),
        ])
        .await;
        let stuffed = MAIL.replace("\r\n.", "\r\n..");
        self.writing.write_all(stuffed.as_bytes()).await.unwrap();
        self.say(".").await
    }
}

#[tokio::test]
async fn a_mail_is_kept_as_it_came() {
    let mailbox = open().await;
    let waiting = tokio::spawn({
        let mailbox = mailbox.clone();
        async move {
            let zoe = |mail: &Received| mail.recipients.iter().any(|to| to.starts_with("zoe@"));
            mailbox.wait_for(zoe, Duration::from_secs(10)).await
        }
    });
    let mut talk = Talk::greeted(&mailbox).await;
    assert!(talk.mail().await.starts_with("250"));
    talk.expect(&[("QUIT", "221")]).await;
    let mail = waiting.await.unwrap().unwrap();
    assert_eq!(mail.raw, MAIL.as_bytes());
    assert_eq!(mail.envelope_from, "b+1@passerelle.example");
    let parts = parts::parse(&mail.raw);
    assert_eq!(parts.subject.as_deref(), Some("Votre certificat « débuter »"));
    assert_eq!(parts.from, "Hélène <h@campus.example>");
    assert!(parts.text.unwrap().contains("\r\n.une ligne à point"));
    assert_eq!(parts.attachments[0].bytes, b"%PDF-1.7");
    let none = mailbox.wait_for(|mail| mail.id > 1, Duration::from_millis(20)).await;
    assert!(none.is_none());
}

#[tokio::test]
async fn commands_come_in_order_and_are_understood() {
    let mailbox = open().await;
    let mut talk = Talk::begin(&mailbox).await;
    assert!(talk.answer().await.starts_with("220"));
    talk.expect(&[
        ("MAIL FROM:<a@b.example>", "503"),
        ("HELO", "501"),
        ("HELO client.example", "250"),
        ("RCPT TO:<a@b.example>", "503"),
        ("MAIL FROM:a@b.example", "501"),
        ("MAIL FROM:<a@b.example> SIZE=99999999999", "552"),
        ("MAIL FROM:<a@b.example> FUTURE=1", "555"),
        ("mail from:<> SMTPUTF8", "250"),
        ("MAIL FROM:<a@b.example>", "503"),
        ("DATA", "503"),
        ("RCPT TO:<>", "501"),
        ("RCPT TO:<noëlle@exemple.example>", "250"),
        ("RSET", "250"),
        ("DATA", "503"),
        ("NOOP", "250"),
        ("VRFY zoe", "252"),
        ("AUTH PLAIN x", "502"),
        ("WHAT", "500"),
        (&"x".repeat(3_000), "500"),
        ("QUIT", "221"),
    ])
    .await;
    assert_eq!(talk.answer().await, "");
}

#[tokio::test]
async fn commands_may_be_sent_in_one_go() {
    let mailbox = open().await;
    let mut talk = Talk::greeted(&mailbox).await;
    talk.writing
        .write_all(
            b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: x\r\n\r\ny\r\n.\r\nQUIT\r\n",
        )
        .await
        .unwrap();
    for code in ["250", "250", "354", "250", "221"] {
        assert!(talk.answer().await.starts_with(code));
    }
    assert_eq!(mailbox.messages().len(), 1);
}

#[tokio::test]
async fn it_goes_wrong_when_told_to() {
    let mailbox = open().await;
    mailbox.misbehave(|faults| {
        faults.drop_at_greeting = 1;
        faults.greylist = 1;
        faults.unknown_recipients = vec!["Personne@campus.example".to_owned()];
        faults.refuse_data = 1;
        faults.defer_data = 1;
    });
    assert_eq!(Talk::begin(&mailbox).await.answer().await, "");
    mailbox.misbehave(|faults| faults.refuse_greeting = 1);
    assert!(Talk::begin(&mailbox).await.answer().await.starts_with("554"));
    mailbox.misbehave(|faults| faults.unavailable_at_mail = 1);
    Talk::greeted(&mailbox).await.expect(&[("MAIL FROM:<a@b.example>", "421")]).await;
    let mut talk = Talk::greeted(&mailbox).await;
    talk.expect(&[
        ("MAIL FROM:<a@b.example>", "250"),
        ("RCPT TO:<zoe@campus.example>", "451"),
        ("RCPT TO:<zoe@campus.example>", "250"),
        ("RCPT TO:<personne@campus.example>", "550"),
        ("RSET", "250"),
    ])
    .await;
    assert!(talk.mail().await.starts_with("554"));
    assert!(talk.mail().await.starts_with("451"));
    assert!(mailbox.messages().is_empty());
    mailbox.misbehave(|faults| faults.drop_at_data = 1);
    assert_eq!(talk.mail().await, "");
    assert!(mailbox.messages().is_empty());
    mailbox.misbehave(|faults| faults.store_and_drop = 1);
    let mut talk = Talk::greeted(&mailbox).await;
    assert_eq!(talk.mail().await, "", "kept, and no answer");
    assert_eq!(mailbox.messages().len(), 1);
}

#[tokio::test]
async fn the_pages_show_a_mail_without_letting_it_act() {
    let mailbox = open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let routes = mailbox.routes();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let client = reqwest::Client::builder().build().unwrap();
    let fetch = async |path: &str| {
        let response = client.get(format!("{base}{path}")).send().await.unwrap();
        let headers = response.headers().clone();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, headers, String::from_utf8_lossy(&body).into_owned())
    };
    assert!(fetch("/mailbox").await.2.contains("Aucun courriel"));
    assert!(Talk::greeted(&mailbox).await.mail().await.starts_with("250"));
    assert!(fetch("/mailbox").await.2.contains("Votre certificat « débuter »"));
    let page = fetch("/mailbox/1").await.2;
    assert!(page.contains("href=\"https://verify.example/x?a&#x3D;b&amp;c&#x3D;d\""), "{page}");
    assert!(!page.contains("<script>alert"));
    let (_, headers, html) = fetch("/mailbox/1/html").await;
    let rules = headers["content-security-policy"].to_str().unwrap();
    assert!(rules.starts_with("sandbox") && rules.contains("default-src 'none'"));
    assert!(html.contains("<head><base target=\"_blank\">"));
    let (_, headers, body) = fetch("/mailbox/1/attachments/0").await;
    assert_eq!(
        (headers["content-type"].to_str().unwrap(), body.as_str()),
        ("application/pdf", "%PDF-1.7")
    );
    let (_, headers, _) = fetch("/mailbox/1/attachments/1").await;
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let (_, _, raw) = fetch("/mailbox/1/raw").await;
    assert_eq!(raw, MAIL);
    let list: serde_json::Value =
        serde_json::from_str(&fetch("/mailbox/messages.json").await.2).unwrap();
    assert_eq!(list[0]["attachments"][0]["name"], "certificat.pdf");
    assert_eq!(fetch("/mailbox/2").await.0, 404);
    assert_eq!(fetch("/mailbox/1/attachments/9").await.0, 404);
}
