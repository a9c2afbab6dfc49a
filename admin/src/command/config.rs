//! The settings in effect, and where each comes from.

use std::path::Path;

use crate::fault::Fault;
use crate::printed::Printed;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> Result<Printed, Fault> {
    let profile = settings.profile()?;
    let from = |given: bool, environment: &str| {
        let set = std::env::var_os(environment).is_some_and(|value| !value.is_empty());
        if set {
            environment.to_owned()
        } else if given {
            "flag".to_owned()
        } else {
            "default".to_owned()
        }
    };
    let shown = |path: &Path| path.display().to_string();
    let bundle = settings.bundle.as_deref().map_or_else(|| shown(profile.folder()), shown);
    let rows = [
        ("profile", shown(profile.folder()), from(settings.profile.is_some(), "TASUKI_ADMIN_PROFILE")),
        ("bundle", bundle, from(settings.bundle.is_some(), "")),
        (
            "lang",
            format!("{:?}", settings.language()).to_lowercase(),
            from(settings.lang.is_some(), ""),
        ),
    ];
    let json = rows.iter().map(
        |(name, value, source)| serde_json::json!({ "name": name, "value": value, "source": source }),
    );
    let text: Vec<String> =
        rows.iter().map(|(name, value, source)| format!("{name} = {value}  ({source})")).collect();
    Ok(Printed { json: json.collect(), text: text.join("\n") })
}
