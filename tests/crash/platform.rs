//! A learning platform reduced to what a launch needs: a key, its public half over HTTP, tokens.

use std::net::Ipv4Addr;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const CLIENT: &str = "crash";

pub(crate) struct Platform {
    pub(crate) issuer: String,
    key: KeyPair,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let public = key.public_key();
        let set = json!({"keys": [{
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
        }]});
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let routes = Router::new().route("/keys", get(async || Json(set)));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { issuer: format!("http://{address}"), key }
    }

    /// An id_token for learner number `number`, as LTI 1.3 Core, 5.3 wants it.
    pub(crate) fn id_token(
        &self,
        number: usize,
        nonce: &str,
        target: &str,
        item: &str,
        now: i64,
    ) -> String {
        let lti = |name: &str| format!("https://purl.imsglobal.org/spec/lti/claim/{name}");
        let claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": format!("learner-{number}"),
            "iat": now, "exp": now + 600, "nonce": nonce,
            "given_name": "Noémie", "family_name": format!("Numéro {number}"),
            "name": format!("Noémie Numéro {number}"), "email": address_of(number),
            lti("version"): "1.3.0",
            lti("message_type"): "LtiResourceLinkRequest",
            lti("deployment_id"): "1",
            lti("target_link_uri"): target,
            lti("resource_link"): {"id": "7", "title": "Cours"},
            lti("context"): {"id": "2", "title": "Parcours"},
            lti("roles"): ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            lti("custom"): {"passerelle_item": item},
        });
        self.sign(&claims)
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": "1"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .expect("a signature");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Each learner has an address of their own.
pub(crate) fn address_of(number: usize) -> String {
    format!("learner-{number}@example.org")
}
