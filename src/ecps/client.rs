//! The questions to the provider. Each is bounded in time and size by the link; none is ever repeated by itself.

use crate::ecps::Error;
use crate::ecps::answer::Begun;
use crate::ecps::answer::Polled;
use crate::ecps::answer::Provider;
use crate::ecps::answer::Tokens;
use crate::ecps::assertion::SigningKey;
use crate::identity::holder::HolderId;
use crate::identity::id_token;
use crate::identity::id_token::Expected;
use crate::identity::id_token::Keys;
use crate::identity::userinfo::Person;
use crate::link;
use crate::link::Answer;
use crate::link::Method;
use crate::link::address;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use crate::time::Wall;

/// What the settings say.
pub struct Options {
    /// As it stands in every id_token.
    pub issuer: String,
    /// Where the provider describes itself.
    pub description: String,
    pub client: String,
    pub proof: ClientProof,
    /// Authentication levels that are enough; the first is what is asked for.
    pub acr: Vec<String>,
}

/// How the provider knows us.
pub enum ClientProof {
    /// `tls_client_auth`: the certificate of the link (RFC 8705 §2.1).
    Tls,
    /// `private_key_jwt`.
    Key(SigningKey),
}

/// One provider, by one link.
pub struct Client {
    link: link::Client,
    options: Options,
}

/// A request that waits for a telephone. Its name is a secret: whoever has it may ask for the tokens.
pub struct Asked {
    provider: Provider,
    request: String,
    holder: HolderId,
    at: UnixSeconds,
    pub interval_s: u64,
    pub expires_in_s: u64,
}

/// Who is here, and what proves it for ever.
pub struct Login {
    pub person: Person,
    pub id_token: String,
    /// The public key that signed it, as JWK text.
    pub key: String,
}

impl Client {
    pub fn new(link: link::Client, options: Options) -> Client {
        Client { link, options }
    }

    /// The time by the provider's newest `Date`.
    pub fn server_time(&self) -> Option<UnixSeconds> {
        self.link.server_time()
    }

    /// Makes that person's telephone ask, showing the same two digits. `at`: now, for the token's age.
    pub async fn ask(&self, holder: &HolderId, digits: &str, at: UnixSeconds) -> Result<Asked, Error> {
        let what = "its description";
        let answer = self.get(&self.options.description, None, what).await?;
        if answer.status != 200 {
            return Err(Error::Failed { what, status: answer.status });
        }
        let provider = Provider::read(&answer.body, &self.options.issuer)?;
        let level = self.options.acr.first().map_or("eidas1", String::as_str);
        let fields = [
            ("scope", "openid scope_all"),
            ("acr_values", level),
            ("login_hint", holder.0.as_str()),
            ("binding_message", digits),
            // Pro Santé Connect's own; a card needs a program that has no Linux.
            ("channel", "MOBILE"),
        ];
        let answer = self.post(&provider, &provider.backchannel, &fields, at, "the request").await?;
        let begun = Begun::read(answer.status, &answer.body)?;
        Ok(Asked {
            provider,
            request: begun.request,
            holder: holder.clone(),
            at: self.server_time().unwrap_or(at),
            interval_s: begun.interval_s,
            expires_in_s: begun.expires_in_s,
        })
    }

    /// Whether the telephone has answered.
    pub async fn poll(&self, asked: &Asked, now: UnixSeconds) -> Result<Polled, Error> {
        let fields = [("grant_type", CIBA_GRANT), ("auth_req_id", asked.request.as_str())];
        let answer = self.post(&asked.provider, &asked.provider.token, &fields, now, "the tokens").await?;
        Polled::read(answer.status, &answer.body)
    }

    /// Believes nothing before the signature, the request and the person fit.
    pub async fn accept(&self, asked: &Asked, tokens: &Tokens, wall: Wall) -> Result<Login, Error> {
        let token = tokens.id_token.as_deref();
        let token = token.ok_or(Error::Unreadable { what: "the tokens", why: "there is no id_token" })?;
        let what = "its keys";
        let answer = self.get(&asked.provider.keys, None, what).await?;
        let keys = Keys::read(&answer.body).filter(|_| answer.status == 200);
        let keys = keys.ok_or(Error::Unreadable { what, why: "it is no JWK set" })?;
        let refused = |source| Error::Token { source };
        let (claims, key) = id_token::open(token, &keys).map_err(refused)?;
        let expected = Expected {
            issuer: &asked.provider.issuer,
            client: &self.options.client,
            holder: &asked.holder,
            acr: &self.options.acr,
            request: &asked.request,
            asked_at: asked.at,
            access_token: tokens.access.show_bytes(),
        };
        claims.check(&expected, wall).map_err(refused)?;
        let person = self.person(asked, tokens).await?;
        if person.subject != claims.subject || person.id != asked.holder {
            return Err(Error::OtherPerson);
        }
        Ok(Login { person, id_token: token.to_owned(), key: key.text() })
    }

    async fn person(&self, asked: &Asked, tokens: &Tokens) -> Result<Person, Error> {
        let what = "UserInfo";
        let answer = self.get(&asked.provider.userinfo, Some(&tokens.access), what).await?;
        match answer.status {
            200 => Person::read(&answer.body).ok_or(Error::Unreadable { what, why: "it says nobody" }),
            status => Err(Error::Failed { what, status }),
        }
    }

    /// New tokens for the old ones. [`Error::RefreshRefused`]: the provider will not go on.
    pub async fn refresh(&self, asked: &Asked, refresh: &SecretBytes, now: UnixSeconds) -> Result<Tokens, Error> {
        let token = String::from_utf8_lossy(refresh.show_bytes());
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &token)];
        let answer = self.post(&asked.provider, &asked.provider.token, &fields, now, "the refreshed tokens").await?;
        Tokens::refreshed(answer.status, &answer.body)
    }

    /// Nobody shall use them any more (RFC 7009). `false`: the provider did not say that it heard.
    pub async fn revoke(&self, asked: &Asked, tokens: &Tokens, now: UnixSeconds) -> bool {
        let Some(url) = &asked.provider.revocation else { return false };
        let mut all = true;
        let refresh = tokens.refresh.as_ref().map(|token| (token, "refresh_token"));
        for (token, kind) in refresh.into_iter().chain([(&tokens.access, "access_token")]) {
            let token = String::from_utf8_lossy(token.show_bytes());
            let fields = [("token", token.as_ref()), ("token_type_hint", kind)];
            let answer = self.post(&asked.provider, url, &fields, now, "the revocation").await;
            all &= answer.is_ok_and(|answer| answer.status == 200);
        }
        all
    }

    async fn get(&self, url: &str, bearer: Option<&SecretBytes>, what: &'static str) -> Result<Answer, Error> {
        let request = link::Request {
            method: Method::Get,
            url: url.to_owned(),
            accept: "application/json".to_owned(),
            bearer,
            headers: Vec::new(),
            body: None,
            limit_bytes: ANSWER_BYTES_MAX,
        };
        self.link.send(request).await.map_err(|source| Error::Link { what, source })
    }

    async fn post(
        &self,
        provider: &Provider,
        url: &str,
        fields: &[(&str, &str)],
        now: UnixSeconds,
        what: &'static str,
    ) -> Result<Answer, Error> {
        let mut fields = fields.to_vec();
        fields.push(("client_id", &self.options.client));
        let assertion = self.assertion(provider, now)?;
        if let Some(assertion) = &assertion {
            fields.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            fields.push(("client_assertion", assertion));
        }
        let request = link::Request {
            method: Method::Post,
            url: url.to_owned(),
            accept: "application/json".to_owned(),
            bearer: None,
            headers: Vec::new(),
            body: Some(("application/x-www-form-urlencoded", address::form(&fields).into_bytes())),
            limit_bytes: ANSWER_BYTES_MAX,
        };
        self.link.send(request).await.map_err(|source| Error::Link { what, source })
    }

    /// CIBA Core §7.1: the issuer is the audience. By the provider's own clock, where it tells it.
    fn assertion(&self, provider: &Provider, now: UnixSeconds) -> Result<Option<String>, Error> {
        let ClientProof::Key(key) = &self.options.proof else { return Ok(None) };
        let mut nonce = [0; 16];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Error::SigningKey)?;
        let now = self.server_time().unwrap_or(now);
        key.assertion(&self.options.client, &provider.issuer, now, nonce).map(Some)
    }
}

impl Error {
    /// No answer came, or none that a provider in good health gives: it may at the next try.
    pub fn may_pass(&self) -> bool {
        match self {
            Error::Link { .. } => true,
            Error::Failed { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked([REDACTED])")
    }
}

const CIBA_GRANT: &str = "urn:openid:params:grant-type:ciba";
/// A description, a key set, a person: none is larger.
const ANSWER_BYTES_MAX: u64 = 256 * 1024;
