//! `tasuki login`, `confirm`, `password`, `logout`: the person at a terminal, or a script.
//!
//! Secrets come from the terminal or from standard input, never from the command line
//! (T68). Decides nothing that the server decides.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use tasuki_protocol::login::LoginResponse;
use tasuki_terminal::qr;

use super::say::{self, Form};
use super::surface;
use crate::shell::fault::Fault;
use crate::shell::login::{self, Authenticator, Bearer, Credentials, LoginOutcome};
use crate::shell::settings::Settings;
use crate::shell::terminal;
use crate::shell::texts::{self, Text};
use crate::shell::trust::Trust;

/// Before the end of the device's certificate.
const WARN_DAYS: u64 = 14;
/// No password is shorter, whatever stands beside it.
const LEAST_CHARS: usize = 8;

/// Between two looks whether the device was approved.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct LoginOptions {
    /// Only a check: the server stands in the organisation's file.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Your name as an operator.
    #[arg(long, value_name = "NAME")]
    operator: String,
    #[command(flatten)]
    scripted: Scripted,
    /// Sets an authenticator up: shows its QR code, then asks for its digits.
    #[arg(long)]
    authenticator: bool,
    /// Waits until an administrator has approved this device.
    #[arg(long)]
    wait: bool,
}

/// What a script gives in lines of standard input.
#[derive(Debug, Args)]
struct Scripted {
    /// Reads the password as a line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Reads the one-time code that lets this device ask, after the password.
    #[arg(long)]
    enrolment_stdin: bool,
    /// Reads the authenticator's six digits, after password and code.
    #[arg(long)]
    totp_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct ConfirmOptions {
    /// Reads the password as a line of standard input.
    #[arg(long, conflicts_with = "totp_stdin")]
    password_stdin: bool,
    /// Reads the authenticator's six digits as a line of standard input.
    #[arg(long)]
    totp_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct PasswordOptions {
    /// Reads the old password and the new one as two lines of standard input.
    #[arg(long)]
    password_stdin: bool,
}

/// How often the digits of an authenticator that is being set up are asked for again.
const MORE_TRIES: u8 = 2;

pub(super) async fn login(
    options: &LoginOptions,
    settings: &Settings,
    form: Form,
) -> Result<(), Fault> {
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    check_server(options.server.as_deref(), &trust)?;
    let is_first = !settings.profile.has_device_key();
    let device = settings.profile.device_key()?;
    let ask_code = if is_first { Text::AskEnrolment } else { Text::AskEnrolmentAgain };
    let mut credentials = credentials(options, settings, ask_code)?;
    let (mut told, mut tries, mut wrong) = (false, 0, refusal(&credentials));
    loop {
        match login::login(&trust, &settings.proxies, &device, &credentials).await? {
            LoginOutcome::SignedIn(answer) => {
                return welcome(&trust, settings, form, &credentials.operator, answer);
            }
            LoginOutcome::NeedsTotp if credentials.totp.is_none() => {
                credentials.totp = Some(ask_digits(settings)?);
                wrong = Fault::WrongDigits;
            }
            LoginOutcome::TotpSetup { uri } => {
                show_authenticator(&uri, settings, form);
                (tries, wrong) = (MORE_TRIES, Fault::WrongDigits);
                credentials.totp = Some(ask_digits(settings)?);
                credentials.authenticator = Authenticator::SetUp;
            }
            LoginOutcome::DevicePending { words } => {
                if form == Form::Json && !told {
                    say::json(&serde_json::json!({ "event": "device_pending", "words": words }));
                }
                if !options.wait {
                    return Err(Fault::DevicePending { words });
                }
                if form == Form::Plain && !told {
                    say::print(&Text::WaitingForApproval.fill(settings.lang, &[&words]));
                }
                told = true;
                credentials.enrolment = None;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            LoginOutcome::Locked { seconds } => return Err(Fault::Locked { seconds }),
            // The new authenticator is the same as before: one slip of the hand does not throw it away.
            LoginOutcome::Refused if tries > 0 => {
                tries -= 1;
                say::to_person(Text::WrongDigits.say(settings.lang));
                credentials.totp = Some(ask_digits(settings)?);
            }
            LoginOutcome::NeedsTotp | LoginOutcome::Refused => return Err(wrong),
            LoginOutcome::Busy => return Err(Fault::SlowDown),
        }
    }
}

/// What may be wrong where the server does not say it (T52): of that alone which was given.
fn refusal(credentials: &Credentials) -> Fault {
    match (&credentials.enrolment, &credentials.totp) {
        (_, Some(_)) => Fault::WrongPassword,
        (Some(_), None) => Fault::WrongEnrolment,
        (None, None) => Fault::WrongNameOrPassword,
    }
}

fn welcome(
    trust: &Trust,
    settings: &Settings,
    form: Form,
    operator: &str,
    answer: LoginResponse,
) -> Result<(), Fault> {
    surface::keep(settings, operator, &answer)?;
    let modes: Vec<&str> = answer.modes.iter().map(|mode| mode.name()).collect();
    match form {
        Form::Plain => {
            let lang = settings.lang;
            let modes: Vec<&str> =
                answer.modes.iter().map(|mode| texts::mode(*mode).say(lang)).collect();
            let name = say::harmless(&answer.display_name);
            let values = [&trust.bundle.organisation, &name, &modes.join(", ")];
            say::print(&Text::SignedIn.fill(lang, &values.map(String::as_str)));
        }
        Form::Json => say::json(&serde_json::json!({
            "event": "signed_in", "organisation": trust.bundle.organisation,
            "operator": operator, "display_name": answer.display_name,
            "modes": modes, "expires_in": answer.expires_in, "certified_until": answer.certified_until,
        })),
    }
    if let Some(days) = answer.certified_until.and_then(days_left) {
        say::to_person(&Text::CertificateEnds.fill(settings.lang, &[&days.to_string(), operator]));
    }
    Ok(())
}

/// Until `unix`, in whole days, where somebody must be told of it.
fn days_left(unix: u64) -> Option<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = unix.saturating_sub(now) / 86_400;
    (days < WARN_DAYS).then_some(days)
}

pub(super) async fn confirm(
    options: &ConfirmOptions,
    settings: &Settings,
    form: Form,
) -> Result<(), Fault> {
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    let (device, sign_in) = (&settings.profile.device_key()?, &settings.profile.sign_in()?);
    let bearer = Bearer { trust: &trust, proxies: &settings.proxies, device, sign_in };
    let (mut password, mut totp) = (None, None);
    if options.totp_stdin {
        totp = Some(terminal::plain_line().map_err(unread)?);
    } else if options.password_stdin {
        password = Some(terminal::plain_line().map_err(unread)?);
    } else {
        password = Some(hidden(Text::AskPassword, settings)?);
    }
    let first = login::confirm(&bearer, password, totp).await;
    let asks_for_digits = first == Err(Fault::WrongPassword) && terminal::is_interactive();
    if asks_for_digits && !options.totp_stdin && !options.password_stdin {
        let digits = Some(ask_digits(settings)?);
        login::confirm(&bearer, None, digits).await?;
    } else {
        first?;
    }
    done(Text::Confirmed, "confirmed", settings, form);
    Ok(())
}

pub(super) async fn password(
    options: &PasswordOptions,
    settings: &Settings,
    form: Form,
) -> Result<(), Fault> {
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    let (device, sign_in) = (&settings.profile.device_key()?, &settings.profile.sign_in()?);
    let bearer = Bearer { trust: &trust, proxies: &settings.proxies, device, sign_in };
    let (old, new) = if options.password_stdin {
        (terminal::plain_line().map_err(unread)?, terminal::plain_line().map_err(unread)?)
    } else {
        let old = hidden(Text::AskPassword, settings)?;
        (old, new_password(settings)?)
    };
    login::change_password(&bearer, (old, new)).await?;
    done(Text::PasswordChanged, "password_changed", settings, form);
    Ok(())
}

/// Typed twice, since nobody sees it; a slip is no reason to type everything again.
fn new_password(settings: &Settings) -> Result<String, Fault> {
    loop {
        let new = hidden(Text::AskNewPassword, settings)?;
        if new.chars().count() < LEAST_CHARS && terminal::is_interactive() {
            say::to_person(Text::PasswordTooShort.say(settings.lang));
            continue;
        }
        if hidden(Text::AskNewPasswordAgain, settings)? == new {
            return Ok(new);
        }
        if !terminal::is_interactive() {
            return Err(Fault::TypedTwice);
        }
        say::to_person(Text::TypeAgain.say(settings.lang));
    }
}

pub(super) async fn logout(settings: &Settings, form: Form) -> Result<(), Fault> {
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    let (device, sign_in) = (&settings.profile.device_key()?, &settings.profile.sign_in()?);
    let bearer = Bearer { trust: &trust, proxies: &settings.proxies, device, sign_in };
    login::log_out(&bearer).await?;
    done(Text::SignedOut, "signed_out", settings, form);
    Ok(())
}

fn done(text: Text, event: &str, settings: &Settings, form: Form) {
    match form {
        Form::Plain => say::print(text.say(settings.lang)),
        Form::Json => say::json(&serde_json::json!({ "event": event })),
    }
}

fn show_authenticator(uri: &str, settings: &Settings, form: Form) {
    match form {
        Form::Plain => {
            say::print(&Text::ScanThis.fill(settings.lang, &[uri]));
            if let Some(code) = qr::code(uri) {
                say::print(&code);
            }
        }
        Form::Json => say::json(&serde_json::json!({ "event": "authenticator", "uri": uri })),
    }
}

fn ask_digits(settings: &Settings) -> Result<String, Fault> {
    if terminal::is_interactive() {
        return hidden(Text::AskTotp, settings);
    }
    let line = terminal::plain_line().map_err(unread)?;
    if line.trim().is_empty() { Err(Fault::NeedsTotp) } else { Ok(line) }
}

fn hidden(text: Text, settings: &Settings) -> Result<String, Fault> {
    terminal::hidden_line(text.say(settings.lang)).map_err(unread)
}

fn unread(why: std::io::Error) -> Fault {
    if why.kind() == std::io::ErrorKind::UnexpectedEof {
        return Fault::InputOver;
    }
    Fault::System { what: "reading", why: why.to_string() }
}

/// The address is the bundle's whatever is asked (T70); another one is a mistake worth telling.
fn check_server(asked: Option<&str>, trust: &Trust) -> Result<(), Fault> {
    let Some(asked) = asked else { return Ok(()) };
    let plain = asked.trim_start_matches("https://").trim_end_matches('/');
    let (host, port) = (&trust.bundle.host, trust.bundle.port);
    let full = format!("{host}:{port}");
    if plain == full || (plain == host && port == 443) {
        return Ok(());
    }
    Err(Fault::OtherServer { asked: asked.to_owned(), bundle: full })
}

/// Nobody has signed in with this profile, or he has signed out for good.
fn is_new(settings: &Settings) -> bool {
    matches!(settings.profile.sign_in(), Err(Fault::NotSignedIn))
}

fn credentials(
    options: &LoginOptions,
    settings: &Settings,
    ask_code: Text,
) -> Result<Credentials, Fault> {
    let Scripted { password_stdin, enrolment_stdin, totp_stdin } = options.scripted;
    let password = if password_stdin {
        terminal::plain_line().map_err(unread)?
    } else {
        hidden(Text::AskPassword, settings)?
    };
    let enrolment = if enrolment_stdin {
        Some(terminal::plain_line().map_err(unread)?)
    } else if !password_stdin && terminal::is_interactive() && is_new(settings) {
        Some(hidden(ask_code, settings)?)
    } else {
        None
    };
    let totp = totp_stdin.then(terminal::plain_line).transpose().map_err(unread)?;
    let enrolment = enrolment.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    let authenticator = if options.authenticator { Authenticator::SetUp } else { Authenticator::Keep };
    Ok(Credentials { operator: options.operator.clone(), password, enrolment, totp, authenticator })
}
