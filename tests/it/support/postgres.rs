//! A PostgreSQL server for the tests, one for the whole run: made from the installed programs in a temporary folder,
//! fully synchronous, on a socket and a loopback port. It ends with this process, however that ends. A test that stops
//! the server in the middle of something gets one for itself ([`own_server`]).

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::net::TcpSocket;

use super::{place, ports, require};

/// Stands between us and the server: when our end of its standard input closes, it stops the server and removes the
/// folder. A server started by ourselves would outlive a killed test run. Told to `stop`, it stops the server in immediate
/// mode (no shutdown checkpoint, every connection dropped: what a crash leaves); told to `start`, it starts it again.
const WATCHDOG: &str = r#"trap '' INT; folder="$1"; shift
"$@" & server=$!
while read -r word; do
    case "$word" in
        stop) kill -QUIT $server; wait $server; echo "stopped" >&2 ;;
        start) "$@" & server=$! ;;
    esac
done
kill -INT $server; wait $server
rm -rf "$folder""#;
/// The watchdog's word for it.
const STOPPED: &str = "stopped";
/// The server's word for it.
const READY: &str = "ready to accept connections";
/// How long the server may take to start on a busy machine.
const START_MAX: Duration = Duration::from_secs(120);
/// Lines of its log shown when it does not start.
const LOG_LINES_SHOWN: usize = 20;

/// If it is set, the server counts what each statement costs (`pg_stat_statements`).
pub const COUNT_STATEMENTS: &str = "TOUCHLINE_BENCH_STATEMENTS";

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

struct Server {
    port: u16,
    /// Nobody else is given the port, also while the server is stopped.
    _place: TcpSocket,
    watchdog: Child,
    alive: Mutex<ChildStdin>,
    log: Mutex<mpsc::Receiver<Heard>>,
}

/// A server of one test, which may be stopped and started again at the same address.
pub struct OwnServer(Option<Server>);

/// A line of the server's log that somebody waits for, or its end with the last lines.
enum Heard {
    Word(&'static str),
    End(String),
}

/// The URL of a fresh, empty database. `None`, said aloud, where this machine cannot run a server.
pub async fn fresh_database() -> Option<String> {
    let server =
        tokio::task::spawn_blocking(|| SERVER.get_or_init(start).as_ref()).await.expect("the server starts")?;
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    execute(server, &format!("CREATE DATABASE {name}")).await;
    Some(server.url(&name))
}

/// The URL of a fresh copy of a database to which nobody is connected.
pub async fn copy_of(url: &str) -> String {
    let (Some(Some(server)), Some((_, original))) = (SERVER.get(), url.rsplit_once('/')) else {
        panic!("{url} is none of the server's")
    };
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    execute(server, &format!("CREATE DATABASE {name} TEMPLATE {original}")).await;
    server.url(&name)
}

/// Removes a database that [`fresh_database`] made, whoever is still connected.
pub async fn drop_database(url: &str) {
    let (Some(Some(server)), Some((_, name))) = (SERVER.get(), url.rsplit_once('/')) else { return };
    execute(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

/// A server for one test. `None`, said aloud, where this machine cannot run one.
pub async fn own_server() -> Option<OwnServer> {
    let server = tokio::task::spawn_blocking(start).await.expect("the server starts")?;
    Some(OwnServer(Some(server)))
}

impl OwnServer {
    const fn server(&self) -> &Server {
        self.0.as_ref().expect("it lives until it is dropped")
    }

    /// The URL of a fresh, empty database.
    pub async fn fresh_database(&self) -> String {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        execute(self.server(), &format!("CREATE DATABASE {name}")).await;
        self.server().url(&name)
    }

    /// Stops the server as a crash would, and returns when it is gone.
    pub fn stop_at_once(&self) {
        self.server().tell("stop");
        self.server().wait_for(STOPPED);
    }

    /// Starts it again, and returns when it has recovered.
    pub fn start_again(&self) {
        self.server().tell("start");
        self.server().wait_for(READY);
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if let Some(Server { mut watchdog, alive, .. }) = self.0.take() {
            drop(alive);
            let _ = watchdog.wait();
        }
    }
}

async fn execute(server: &Server, statement: &str) {
    let mut connection = PgConnection::connect(&server.url("postgres")).await.expect("the server answers");
    connection.execute(AssertSqlSafe(statement.to_owned())).await.expect("done");
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://touchline@127.0.0.1:{}/{database}", self.port)
    }

    fn tell(&self, word: &str) {
        writeln!(self.alive.lock().expect("not poisoned"), "{word}").expect("the watchdog listens");
    }

    fn wait_for(&self, word: &'static str) {
        let log = self.log.lock().expect("not poisoned");
        loop {
            match log.recv_timeout(START_MAX) {
                Ok(Heard::Word(heard)) if heard == word => return,
                Ok(Heard::Word(_)) => {}
                Ok(Heard::End(log)) => panic!("PostgreSQL ended:\n{log}"),
                Err(_) => panic!("PostgreSQL did not say `{word}` in {START_MAX:?}"),
            }
        }
    }
}

fn start() -> Option<Server> {
    let programs = ["initdb", "postgres"].map(|name| require::program(&[name]));
    let [Some(initdb), Some(postgres)] = programs else {
        require::skip("PostgreSQL (initdb, postgres)");
        return None;
    };
    let Some(user) = User::who_may_run_it() else {
        require::skip("a user other than root to run PostgreSQL (postgres or nobody, with setpriv)");
        return None;
    };
    let folder = place::folder("touchline-pg").keep();
    user.own(&folder);
    let data = folder.join("data");
    let made = user
        .run(&initdb)
        .args(["--username=touchline", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
        .arg(&data)
        .output()
        .expect("initdb runs");
    assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    let (place, address) = ports::reserved(Ipv4Addr::LOCALHOST.into()).expect("a port");
    let port = address.port();
    let mut watchdog = user
        .run(Path::new("/bin/sh"))
        .args(["-c", WATCHDOG, "watchdog"])
        .arg(&folder)
        .arg(&postgres)
        .args(options(&folder, &data, port))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the watchdog starts");
    let alive = Mutex::new(watchdog.stdin.take().expect("a pipe"));
    let log = Mutex::new(listen_to(watchdog.stderr.take().expect("a pipe")));
    let server = Server { port, _place: place, watchdog, alive, log };
    server.wait_for(READY);
    Some(server)
}

fn options(folder: &Path, data: &Path, port: u16) -> Vec<String> {
    let set = |name: &str, value: String| ["-c".to_owned(), format!("{name}={value}")];
    let mut options = [
        ["-D".to_owned(), data.display().to_string()],
        set("port", port.to_string()),
        set("listen_addresses", "127.0.0.1".into()),
        set("unix_socket_directories", folder.display().to_string()),
        set("fsync", "on".into()),
        set("synchronous_commit", "on".into()),
        set("max_connections", "300".into()),
        // Transactions that wait for each other in a circle are to be seen at once, not after a second.
        set("deadlock_timeout", "200ms".into()),
        set("log_min_messages", "warning".into()),
    ]
    .concat();
    if std::env::var_os(COUNT_STATEMENTS).is_some() {
        options.extend(set("shared_preload_libraries", "pg_stat_statements".into()));
        // With what foreign keys ask.
        options.extend(set("pg_stat_statements.track", "all".into()));
    }
    options
}

/// Reads the server's log, so that it never blocks on it, and passes on what somebody may wait for.
fn listen_to(log: impl std::io::Read + Send + 'static) -> mpsc::Receiver<Heard> {
    let (says, hears) = mpsc::channel();
    std::thread::spawn(move || {
        let mut last = VecDeque::new();
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if let Some(word) = [READY, STOPPED].into_iter().find(|word| line.ends_with(word)) {
                let _ = says.send(Heard::Word(word));
            }
            last.push_back(line);
            if last.len() > LOG_LINES_SHOWN {
                last.pop_front();
            }
        }
        let _ = says.send(Heard::End(Vec::from(last).join("\n")));
    });
    hears
}

/// Who runs the server: ourselves, or another user if we are root, which PostgreSQL refuses.
enum User {
    Ourselves,
    Other { setpriv: PathBuf, uid: String, gid: String },
}

impl User {
    fn who_may_run_it() -> Option<Self> {
        if id(&["-u"])? != "0" {
            return Some(Self::Ourselves);
        }
        let setpriv = require::program(&["setpriv"])?;
        ["postgres", "nobody"].iter().find_map(|name| {
            Some(Self::Other { setpriv: setpriv.clone(), uid: id(&["-u", name])?, gid: id(&["-g", name])? })
        })
    }

    fn own(&self, folder: &Path) {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).expect("permissions");
        if let Self::Other { uid, gid, .. } = self {
            let numeric = |text: &str| text.parse().ok();
            std::os::unix::fs::chown(folder, numeric(uid), numeric(gid)).expect("chown");
        }
    }

    fn run(&self, program: &Path) -> Command {
        let mut command = match self {
            Self::Ourselves => Command::new(program),
            Self::Other { setpriv, uid, gid } => {
                let mut command = Command::new(setpriv);
                command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups").arg(program);
                command
            }
        };
        command.current_dir("/").env_remove("PGDATA").env("LC_ALL", "C.UTF-8");
        command
    }
}

fn id(arguments: &[&str]) -> Option<String> {
    let answer = Command::new("id").args(arguments).output().ok()?;
    answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}
