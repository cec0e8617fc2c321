//! Bounces whose form matters, one of each: written for this project in the form of the mailer.

use super::super::{Class, Kind, Return, read};

fn mail(from: &str, subject: &str, text: &str) -> Return {
    let mail = format!(
        "Return-Path: <>\nFrom: {from}\nTo: bounce+m7q2@bounces.harbor.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
    );
    read(mail.as_bytes())
}

#[test]
fn each_mailers_own_text_names_its_recipient() {
    for (from, subject, text, class) in [
        (
            "<MAILER-DAEMON@cg.example>",
            "Undeliverable mail: Letter",
            "Failed to deliver to 'dana@clinic.example'\nLOCAL module(account dana) reports:\n account dana@clinic.example is unknown",
            Class::Hard,
        ),
        (
            "mailer-daemon@portal.example",
            "메일 발송 실패 안내",
            "메일 발송에 실패했습니다.\n\n받는사람 : dana@clinic.example\n발송 실패 원인 : 존재하지 않는 수신자 (User unknown)",
            Class::Hard,
        ),
        (
            "postmaster@gateway.example",
            "[Postmaster] Email Delivery Failure",
            "=== This is an automatically generated message ===\n\nThe email sent to dana@clinic.example could not be delivered.\n\n\
             The rejection reason was: 554 Email rejected due to security policies\n",
            Class::Ours,
        ),
        (
            "postmaster@clinic.example",
            "Message quarantined: Letter",
            "The message you sent to dana@clinic.example was blocked by our email security gateway and was not delivered, because it was \
             identified as spam.",
            Class::Ours,
        ),
        (
            "MAILER-DAEMON@clinic.example",
            "Undeliverable",
            "Benutzer unbekannt für <dana@clinic.example>: 550 5.1.1 unbekannter Benutzer",
            Class::Hard,
        ),
        (
            "Postmaster <postmaster@clinic.example>",
            "Non remis : Lettre",
            "Échec de la remise pour ces destinataires ou groupes :\n\ndana@clinic.example\n\
             L'adresse de messagerie que vous avez entrée est introuvable. Vérifiez l'adresse de messagerie du destinataire et réessayez d'envoyer \
             le message.",
            Class::Hard,
        ),
        (
            "Postmaster <postmaster@clinic.example>",
            "Não é possível entregar: Carta",
            "Falha na entrega para estes destinatários ou grupos:\n\ndana@clinic.example\nO endereço de email inserido não pôde ser encontrado. \
             Verifique o endereço de email do destinatário e tente reenviar a mensagem.",
            Class::Hard,
        ),
        (
            "Mail Delivery System <MAILER-DAEMON@clinic.example>",
            "Messaggio non recapitato",
            "Il messaggio non è stato recapitato ai seguenti destinatari:\n\n<dana@clinic.example>: casella di posta inesistente",
            Class::Hard,
        ),
    ] {
        let read = mail(from, subject, text);
        let found: Vec<_> = read.recipients.iter().map(|one| (one.recipient.as_str(), one.class)).collect();
        assert_eq!((read.kind, found), (Kind::Bounce, vec![("dana@clinic.example", Some(class))]), "{text}\n{read:?}");
    }
}

#[test]
fn a_sendmail_warning_about_a_refused_connection_is_no_policy() {
    let text = "    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    \
                **********************************************\n\nThe original message was received at Mon, 30 Nov 2026 05:12:05 -0500\n\n   \
                ----- The following addresses had transient non-fatal errors -----\n<dana@clinic.example>\n\n   ----- Transcript of session follows -----\n\
                <dana@clinic.example>... Deferred: Connection refused by mx.clinic.example.\nWarning: message still undelivered after 4 hours\n";
    let read = mail(
        "Mail Delivery Subsystem <MAILER-DAEMON@relay.example>",
        "Warning: could not send message for past 4 hours",
        text,
    );
    assert_eq!((read.kind, read.recipients[0].class), (Kind::Delay, Some(Class::Soft)), "{read:?}");
}

#[test]
fn outlook_complains_with_the_letter_as_the_whole_mail() {
    let mail = "X-HmXmrOriginalRecipient: dana@clinic.example\nFrom: staff@hotmail.com\nSubject: complaint about message from 192.0.2.7\n\
                Content-Type: message/rfc822\n\nFrom: letters@harbor.example\nTo: dana@clinic.example\nMessage-ID: <1@harbor.example>\n\nletter\n";
    let read = read(mail.as_bytes());
    assert_eq!((read.kind, read.recipients[0].recipient.as_str()), (Kind::Complaint, "dana@clinic.example"));
    assert_eq!(read.message_id.as_deref(), Some("1@harbor.example"));
}

#[test]
fn an_internationalized_recipient_is_read_with_its_characters() {
    let report = "Return-Path: <>\nFrom: MAILER-DAEMON@relay.example\nSubject: Undelivered\nContent-Type: multipart/report; boundary=b1-b1-b1\n\n\
                  --b1-b1-b1\n\nsee report\n--b1-b1-b1\nContent-Type: message/global-delivery-status\n\nReporting-MTA: dns; mx.example\n\n\
                  Original-Recipient: utf-8; j\\x{F6}rg@klinik.example\nFinal-Recipient: utf-8; j\\x{F6}rg@klinik.example\nAction: failed\n\
                  Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b1-b1-b1--\n";
    let read = read(report.as_bytes());
    let found: Vec<_> = read.recipients.iter().map(|one| (one.recipient.as_str(), one.class)).collect();
    assert_eq!(found, [("jörg@klinik.example", Some(Class::Hard))]);
}
