//! A PostgreSQL of our own, one for the whole run: made from the installed programs in a folder that goes with it, fully
//! synchronous, on a socket and a loopback port. It ends with this process, however that ends.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::require;

/// Stands between us and the server: when our end of its standard input closes, it stops the server and removes the
/// folder. A server started by ourselves would outlive a killed test run.
const WATCHDOG: &str = r#"trap '' INT; folder="$1"; shift
"$@" & server=$!
cat > /dev/null
kill -INT $server; wait $server
rm -rf "$folder""#;
/// How long the server may take to start on a busy machine.
const START_MAX: Duration = Duration::from_secs(120);
/// Lines of its log shown when it does not start.
const LOG_LINES_SHOWN: usize = 20;

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

struct Server {
    port: u16,
    _watchdog: Child,
    _alive: Mutex<ChildStdin>,
}

/// The URL of a fresh, empty database. `None`, said aloud, where this machine cannot run a server.
pub async fn fresh_database() -> Option<String> {
    let server =
        tokio::task::spawn_blocking(|| SERVER.get_or_init(start).as_ref()).await.expect("the server starts")?;
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    execute(server, &format!("CREATE DATABASE {name}")).await;
    Some(server.url(&name))
}

/// Removes a database that [`fresh_database`] made, whoever is still connected.
pub async fn drop_database(url: &str) {
    let (Some(Some(server)), Some((_, name))) = (SERVER.get(), url.rsplit_once('/')) else { return };
    execute(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn execute(server: &Server, statement: &str) {
    let mut connection = PgConnection::connect(&server.url("postgres")).await.expect("the server answers");
    connection.execute(AssertSqlSafe(statement.to_owned())).await.expect("done");
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://touchline@127.0.0.1:{}/{database}", self.port)
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
    let folder = tempfile::Builder::new().prefix("touchline-pg").tempdir().expect("a folder").keep();
    user.own(&folder);
    let data = folder.join("data");
    let made = user
        .run(&initdb)
        .args(["--username=touchline", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
        .arg(&data)
        .output()
        .expect("initdb runs");
    assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
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
    let alive = watchdog.stdin.take().expect("a pipe");
    wait_until_ready(watchdog.stderr.take().expect("a pipe"));
    Some(Server { port, _watchdog: watchdog, _alive: Mutex::new(alive) })
}

fn options(folder: &Path, data: &Path, port: u16) -> Vec<String> {
    let set = |name: &str, value: String| ["-c".to_owned(), format!("{name}={value}")];
    [
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
    .concat()
}

/// Waits for the server's own word that it is ready, and goes on reading its log so that it never blocks on it.
fn wait_until_ready(log: impl std::io::Read + Send + 'static) {
    let (ready, is_ready) = mpsc::channel();
    std::thread::spawn(move || {
        let mut last = VecDeque::new();
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if line.contains("ready to accept connections") {
                let _ = ready.send(Ok(()));
            }
            last.push_back(line);
            if last.len() > LOG_LINES_SHOWN {
                last.pop_front();
            }
        }
        let _ = ready.send(Err(Vec::from(last).join("\n")));
    });
    match is_ready.recv_timeout(START_MAX) {
        Ok(Ok(())) => {}
        Ok(Err(log)) => panic!("PostgreSQL did not start:\n{log}"),
        Err(_) => panic!("PostgreSQL was not ready in {START_MAX:?}"),
    }
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
