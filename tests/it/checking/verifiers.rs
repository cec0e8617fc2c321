//! Programs of others that judge mail, where they are installed.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::require;

/// Verifies each signature of the mail on standard input by the records in the arguments, name and value in turns.
const DKIMPY: &str = r#"
import sys, dkim
mail, records = sys.stdin.buffer.read(), {}
for name, value in zip(sys.argv[1::2], sys.argv[2::2]):
    records[name.encode() + b"."] = value.encode()
found = dkim.DKIM(mail)
count = sum(1 for name, _ in found.headers if name.lower() == b"dkim-signature")
lookup = lambda name, timeout=5: records.get(name if isinstance(name, bytes) else name.encode())
def verdict(index):
    try:
        return "good" if found.verify(idx=index, dnsfunc=lookup) else "bad"
    except dkim.ValidationError:
        return "bad"
print(" ".join(verdict(index) for index in range(count)))
"#;

/// Verifies the RSA signatures of the mail on standard input by the same records.
const MAIL_DKIM: &str = r#"
use strict; use warnings; use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::RR;
my %records = @ARGV;
no warnings 'redefine';
*Mail::DKIM::DNS::query = sub {
    my ($name, $type) = @_;
    my $value = $records{$name};
    return defined $value ? (Net::DNS::RR->new(owner => $name, type => 'TXT', txtdata => [$value =~ /.{1,255}/g])) : ();
};
my $verifier = Mail::DKIM::Verifier->new;
while (my $line = <STDIN>) { $line =~ s/\r?\n\z//; $verifier->PRINT("$line\r\n"); }
$verifier->CLOSE;
print join(' ', map { $_->result eq 'pass' ? 'good' : 'bad' } grep { $_->algorithm eq 'rsa-sha256' } $verifier->signatures), "\n";
"#;

/// Reads the pages on standard input, a list in JSON, as the standard says, and names everything that is not valid.
const HTML5LIB: &str = r#"
import sys, json, html5lib
for number, page in enumerate(json.load(sys.stdin.buffer)):
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(page)
    for place, code, details in parser.errors:
        print("page", number, "at", place, code, details)
"#;

/// Debian's Python, for which its packages are; another may come first on the PATH.
fn python(module: &str) -> Option<PathBuf> {
    let python = Some(PathBuf::from("/usr/bin/python3")).filter(|path| path.is_file())?;
    let imports = Command::new(&python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    imports.is_ok_and(|status| status.success()).then_some(python)
}

/// What dkimpy says of each signature, `good` or `bad`; `None` where it is not installed, which is said.
pub fn dkimpy(eml: &[u8], records: &[(String, String)]) -> Option<Vec<String>> {
    let Some(python) = python("dkim, nacl") else {
        require::skip("python3-dkim with python3-nacl");
        return None;
    };
    let mut command = Command::new(python);
    command.args(["-c", DKIMPY]).args(records.iter().flat_map(|(name, value)| [name, value]));
    Some(answer(&mut command, eml).split_whitespace().map(str::to_owned).collect())
}

/// What Mail::DKIM, which SpamAssassin uses too, says of each RSA signature; it knows no Ed25519. `None` where it is not installed, which is
/// said.
pub fn mail_dkim(eml: &[u8], records: &[(String, String)]) -> Option<Vec<String>> {
    let perl = require::program(&["perl"]);
    let loads = |perl: &PathBuf| {
        let loaded = Command::new(perl).args(["-MMail::DKIM::Verifier", "-e", "1"]).stderr(Stdio::null()).status();
        loaded.is_ok_and(|status| status.success())
    };
    let Some(perl) = perl.filter(loads) else {
        require::skip("libmail-dkim-perl");
        return None;
    };
    let mut command = Command::new(perl);
    command.args(["-e", MAIL_DKIM]).args(records.iter().flat_map(|(name, value)| [name, value]));
    Some(answer(&mut command, eml).split_whitespace().map(str::to_owned).collect())
}

/// What html5lib finds wrong with these pages; `None` where it is not installed, which is said.
pub fn html_errors(pages: &[&str]) -> Option<String> {
    let Some(python) = python("html5lib") else {
        require::skip("python3-html5lib");
        return None;
    };
    Some(answer(Command::new(python).args(["-c", HTML5LIB]), serde_json::to_string(pages).expect("texts").as_bytes()))
}

/// What SpamAssassin makes of mails without asking anybody: of each, in no order, its points, and its tests with
/// its subject. `None` where it is not installed, which is said.
pub fn spam_points(emls: &[Vec<u8>]) -> Option<Vec<(f64, String)>> {
    let Some(program) = require::program(&["spamassassin"]) else {
        require::skip("spamassassin");
        return None;
    };
    let home = tempfile::tempdir().expect("a folder");
    let mut mbox = Vec::new();
    for eml in emls {
        mbox.extend_from_slice(b"From letters@practice.example Mon Nov 23 15:05:00 2026\n");
        mbox.extend(String::from_utf8_lossy(eml).replace("\r\n", "\n").replace("\nFrom ", "\n>From ").into_bytes());
        mbox.push(b'\n');
    }
    let file = home.path().join("letters.mbox");
    std::fs::write(&file, mbox).expect("written");
    let mut command = Command::new(program);
    command.args(["--local", "--mbox"]).arg(&file).env("HOME", home.path());
    let said = answer(&mut command, b"");
    let judged: Vec<(f64, String)> = said.split("\nX-Spam-Status: ").skip(1).map(status).collect();
    assert_eq!(judged.len(), emls.len(), "{said}");
    Some(judged)
}

/// Points and tests of a status field, `No, score=0.1 required=5.0 tests=A,B autolearn=…`, and the subject behind it.
fn status(from_here: &str) -> (f64, String) {
    let lines =
        from_here.lines().enumerate().take_while(|(number, line)| *number == 0 || line.starts_with(['\t', ' ']));
    let status: Vec<&str> = lines.map(|(_, line)| line.trim()).collect();
    let subject = from_here.lines().find(|line| line.starts_with("Subject: ")).unwrap_or_default();
    let status = format!("{} {subject}", status.join(" "));
    let points = status.split("score=").nth(1).and_then(|rest| rest.split_whitespace().next());
    (points.and_then(|points| points.parse().ok()).unwrap_or_else(|| panic!("no score: {status}")), status)
}

fn answer(command: &mut Command, input: &[u8]) -> String {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_vec();
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it ends");
    let _ = writing.join();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
