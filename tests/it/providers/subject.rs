//! What the kit plays: every kind of the registry, and for `http` every description that comes with the program. A
//! description plays the exchanges of the built-in kind that it describes.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;

use serde::Deserialize;
use touchline::provider::fax::declared;
use touchline::provider::{REGISTRY, Spec, WebhookAuthenticity};

use super::fixture::{self, AccountFile, CallName, Exchange, Fixture};

/// One provider under test.
pub struct Subject {
    /// Its folder under `fixtures/providers`.
    pub name: String,
    pub spec: &'static Spec,
}

impl Deref for Subject {
    type Target = Spec;

    fn deref(&self) -> &Spec {
        self.spec
    }
}

pub fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/providers").join(name)
}

/// All of them.
pub fn all() -> Vec<Subject> {
    REGISTRY
        .iter()
        .flat_map(|spec| if spec.kind == declared::SPEC.kind { described() } else { vec![built_in(spec)] })
        .collect()
}

/// A built-in kind.
pub fn built_in(spec: &'static Spec) -> Subject {
    Subject { name: spec.kind.to_owned(), spec }
}

/// One for each folder below `http`.
fn described() -> Vec<Subject> {
    let entries = std::fs::read_dir(folder("http")).expect("the folder of the described providers");
    let mut names: Vec<String> =
        entries.flatten().map(|entry| format!("http/{}", entry.file_name().to_string_lossy())).collect();
    names.sort();
    assert!(!names.is_empty(), "no description is played");
    names.into_iter().map(open).collect()
}

fn open(name: String) -> Subject {
    let file = fixture::account_file(&name, "127.0.0.1", 9).unwrap_or_else(|error| panic!("{error}"));
    let described = file.described.unwrap_or_else(|| panic!("{name}: [described] is missing"));
    let path = described.write(&name, "http://127.0.0.1:9").unwrap_or_else(|error| panic!("{name}: {error}"));
    let spec = declared::spec_of(PathBuf::from(path).as_path()).unwrap_or_else(|error| panic!("{error}"));
    Subject { name, spec }
}

/// `[described]` of an account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Described {
    /// The file in `config/providers`.
    file: String,
    /// What is written otherwise in it, so that it calls the replay server; `{server}` is its address.
    replace: BTreeMap<String, String>,
    /// The folder whose exchanges it plays besides its own.
    exchanges: Option<String>,
    /// Those that it does not play, and why.
    #[serde(default)]
    except: BTreeMap<String, String>,
    /// Texts that the other's requests hold and its own do not.
    #[serde(default)]
    unsent: Vec<String>,
    /// How its hand-over differs from the other's.
    hand_over: Option<HandOver>,
}

/// A hand-over in more steps: applies to the exchanges that use no settings of their own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandOver {
    /// What comes first.
    before: Vec<Exchange>,
    /// What the request that dials holds instead.
    body_has: Vec<String>,
}

impl Described {
    /// Writes the description so that it calls `server`, and says where it is.
    pub fn write(&self, name: &str, server: &str) -> Result<String, String> {
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/providers").join(&self.file);
        let mut text = std::fs::read_to_string(source).map_err(|error| format!("{}: {error}", self.file))?;
        for (from, to) in &self.replace {
            if text.matches(from.as_str()).count() != 1 {
                return Err(format!("`{from}` does not stand exactly once in {}", self.file));
            }
            text = text.replace(from.as_str(), &to.replace("{server}", server));
        }
        let port = server.rsplit(':').next().unwrap_or_default();
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{port}.toml", name.replace('/', "-")));
        // Tests of other processes may read it at the same time: it appears whole or not at all.
        let part = path.with_extension(uuid::Uuid::new_v4().to_string());
        std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, &path)).map_err(|error| error.to_string())?;
        Ok(path.display().to_string())
    }

    /// Its own exchanges, and the other's under names that it has none of.
    pub fn with_borrowed(
        &self,
        subject: &Subject,
        own: Vec<Fixture>,
        account: &AccountFile,
    ) -> Result<Vec<Fixture>, String> {
        let Some(exchanges) = &self.exchanges else { return Ok(own) };
        let borrowed = fixture::read_all(exchanges, account)?;
        for name in self.except.keys() {
            if !borrowed.iter().any(|fixture| fixture.name == *name) {
                return Err(format!("except: {exchanges} has no {name}.toml"));
            }
        }
        let mut all = own;
        for mut fixture in borrowed {
            let has_own = all.iter().any(|known| known.name == fixture.name);
            let deaf = subject.capabilities.webhook == WebhookAuthenticity::NoWebhook;
            let unheard = fixture.call == CallName::Receive && deaf;
            if !has_own && !unheard && !self.except.contains_key(&fixture.name) {
                self.adapt(&mut fixture, subject, &account.secrets);
                all.push(fixture);
            }
        }
        Ok(all)
    }

    fn adapt(&self, fixture: &mut Fixture, subject: &Subject, secrets: &BTreeMap<String, String>) {
        let is_plain = fixture.call == CallName::Submit && fixture.settings.is_empty() && !fixture.closed_port;
        fixture.settings.retain(|key, _| subject.settings.iter().any(|setting| setting.key == key));
        for exchange in &mut fixture.exchanges {
            exchange.body_has.retain(|text| !self.unsent.contains(text));
        }
        if let Some(other) = self.hand_over.as_ref().filter(|_| is_plain) {
            for exchange in &mut fixture.exchanges {
                exchange.body_has.clone_from(&other.body_has);
            }
            fixture.exchanges.splice(0..0, other.before.iter().cloned());
            fixture.exchanges.iter_mut().for_each(|exchange| exchange.fill(secrets));
        }
    }
}
