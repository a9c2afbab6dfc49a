//! A screen reader: what windows tell of themselves over the desktop's accessibility bus (AT-SPI), and
//! what can be done there.
//!
//! Decides nothing; asks with dbus-send and reads what it prints.

use std::{process::Command, thread, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};

use super::bus::Bus;
use crate::running::{run, until};

/// Whoever asks all the time keeps the windows from all else.
const PAUSE: Duration = Duration::from_millis(100);

/// After a Tab, until the keys are seen elsewhere.
const LOOKS: usize = 6;

/// AT-SPI's bits of what can be used, and of what has the keys (atspi-constants.h).
const ENABLED: u32 = 1 << 8;
const FOCUSED: u32 = 1 << 12;

/// A session bus of its own, on which somebody reads windows out.
#[derive(Debug)]
pub struct Reader {
    session: Bus,
    bus: String,
}

/// One thing in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    program: String,
    path: String,
    pub name: String,
    pub role: u32,
    states: u32,
}

/// AT-SPI's numbers (atspi-constants.h).
pub mod role {
    pub const FRAME: u32 = 23;
    pub const IMAGE: u32 = 27;
    pub const LABEL: u32 = 29;
    pub const LIST_ITEM: u32 = 32;
    pub const TAB: u32 = 37;
    pub const PASSWORD: u32 = 40;
    pub const BUTTON: u32 = 43;
    pub const RADIO_BUTTON: u32 = 44;
    pub const SWITCH: u32 = 62;
    pub const ENTRY: u32 = 79;
}

impl Reader {
    /// # Errors
    /// dbus-daemon or at-spi2-core is not installed.
    pub fn start() -> Result<Self> {
        let session = Bus::start(None)?;
        let to_all = ["--session", "--print-reply=literal", "--dest=org.a11y.Bus", "/org/a11y/bus"];
        let ask = |with: &[&str]| {
            let mut command = Command::new("dbus-send");
            command.args(to_all).args(with).env("DBUS_SESSION_BUS_ADDRESS", session.address());
            run(command)
        };
        // Only then do programs describe their windows.
        ask(&[
            "org.freedesktop.DBus.Properties.Set",
            "string:org.a11y.Status",
            "string:IsEnabled",
            "variant:boolean:true",
        ])?;
        let bus = ask(&["org.a11y.Bus.GetAddress"])?.trim().to_owned();
        Ok(Self { session, bus })
    }

    /// Of the session bus, for programs that are to be read.
    pub fn session(&self) -> &str {
        self.session.address()
    }

    /// What everything of this role is called, in the window that came last.
    pub fn names(&self, role: u32) -> Vec<String> {
        self.nodes().into_iter().filter(|node| node.role == role).map(|node| node.name).collect()
    }

    /// What everything of this role is called, and whether it can be used now.
    pub fn offers(&self, role: u32) -> Vec<(String, bool)> {
        let nodes = self.nodes().into_iter().filter(|node| node.role == role);
        nodes.map(|node| (node.name, node.states & ENABLED != 0)).collect()
    }

    /// Waits until something of this role that is called so can be used.
    ///
    /// # Errors
    /// It never could; says what can.
    pub fn wait_to_use(&self, role: u32, name: &str) -> Result<()> {
        let is_it = |(called, awake): &(String, bool)| called == name && *awake;
        until(name, || Ok(self.offers(role).iter().any(is_it).then_some(())))
            .with_context(|| format!("{:?}", self.offers(role)))
    }

    /// Presses Tab, by whoever presses it, until the keys are at something of this role whose name begins so.
    ///
    /// # Errors
    /// They never come there.
    pub fn walk_to(&self, role: u32, name: &str, mut tab: impl FnMut() -> Result<()>) -> Result<()> {
        let mut way = Vec::new();
        let mut step = || -> Result<Option<()>> {
            let now = self.focused();
            if now.as_ref().is_some_and(|node| node.role == role && node.name.starts_with(name)) {
                return Ok(Some(()));
            }
            tab()?;
            let place = now.as_ref().map(|node| &node.path);
            // A reader hears of it later than the window: a second Tab too soon goes past what is looked for. What has no
            // name of its own is not told, and another Tab leads on from there.
            let _ = (0..LOOKS).any(|_| self.focused().as_ref().map(|node| &node.path) != place);
            way.extend(now.map(|node| node.name));
            Ok(None)
        };
        let walked = until(name, &mut step);
        walked.with_context(|| format!("by {way:?}"))
    }

    /// What has the keys.
    fn focused(&self) -> Option<Node> {
        self.nodes().into_iter().find(|node| node.states & FOCUSED != 0)
    }

    /// Waits for something of this role whose name begins so, in the window that came last.
    ///
    /// # Errors
    /// It never came; says what is there.
    pub fn wait_for(&self, role: u32, name: &str) -> Result<Node> {
        until(name, || self.find(role, name)).with_context(|| {
            let names: Vec<String> = self.nodes().into_iter().map(|node| node.name).collect();
            format!("{names:?}")
        })
    }

    /// # Errors
    /// The bus is gone.
    pub fn find(&self, role: u32, name: &str) -> Result<Option<Node>> {
        let fits = |node: &Node| node.role == role && node.name.starts_with(name);
        Ok(self.nodes().into_iter().find(fits))
    }

    /// Waits for something of whatever role whose name has these words in it; gives the whole name.
    ///
    /// # Errors
    /// It never came; says what is there.
    pub fn hear(&self, words: &str) -> Result<String> {
        until(words, || Ok(self.heard(words)))
            .with_context(|| format!("{:?}", self.nodes().into_iter().map(|node| node.name)))
    }

    /// The same, as it is now.
    pub fn heard(&self, words: &str) -> Option<String> {
        self.nodes().into_iter().map(|node| node.name).find(|name| name.contains(words))
    }

    /// Left, top, width and height of everything of this role whose name begins so, in the window whose title has these
    /// words in it. Where the window stands on the screen a toolkit may not know.
    ///
    /// # Errors
    /// One of it stands nowhere.
    pub fn areas(&self, window: &str, role: u32, name: &str) -> Result<Vec<[i32; 4]>> {
        let mut nodes = self.nodes();
        let tree = |node: &Node| node.path.rsplit_once('/').map(|(tree, _)| tree.to_owned());
        let titled = |node: &&Node| node.role == role::FRAME && node.name.contains(window);
        let trees: Vec<String> = nodes.iter().filter(titled).filter_map(tree).collect();
        nodes.retain(|node| node.role == role && node.name.starts_with(name));
        nodes.retain(|node| tree(node).is_some_and(|tree| trees.contains(&tree)));
        let of_the_window = ["uint32:1"];
        let area = |node: &Node| {
            let told = self.ask(&node.program, &node.path, "Component.GetExtents", &of_the_window)?;
            numbers(&told).try_into().map_err(|_| anyhow!("{name} has no place"))
        };
        nodes.iter().map(area).collect()
    }

    /// Presses what can be pressed, as soon as it is there.
    ///
    /// # Errors
    /// It never came, or takes no action.
    pub fn press(&self, role: u32, name: &str) -> Result<()> {
        let node = self.wait_for(role, name)?;
        let done = self.ask(&node.program, &node.path, "Action.DoAction", &["int32:0"])?;
        ensure!(done.contains("true"), "{name} takes no action");
        Ok(())
    }

    /// What stands in the first of what can be written in; empty while there is none.
    ///
    /// # Errors
    /// The bus is gone.
    pub fn text(&self, role: u32) -> Result<String> {
        let Some(field) = self.find(role, "")? else { return Ok(String::new()) };
        let whole = ["int32:0", "int32:-1"];
        let told = self.ask(&field.program, &field.path, "Text.GetText", &whole)?;
        Ok(told.lines().find_map(|line| quoted(line, "string ")).unwrap_or_default().to_owned())
    }

    /// Gives something the keys of its window.
    ///
    /// # Errors
    /// It never came, or does not take them.
    pub fn focus(&self, role: u32, name: &str) -> Result<()> {
        let node = self.wait_for(role, name)?;
        let done = self.ask(&node.program, &node.path, "Component.GrabFocus", &[])?;
        ensure!(done.contains("true"), "{name} takes no keys");
        Ok(())
    }

    /// None while there is no window.
    fn nodes(&self) -> Vec<Node> {
        thread::sleep(PAUSE);
        let (registry, root) = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root");
        let programs = self.ask(registry, root, "Accessible.GetChildren", &[]).unwrap_or_default();
        let programs: Vec<&str> = programs.lines().filter_map(|line| quoted(line, "string ")).collect();
        let Some(program) = programs.last() else { return Vec::new() };
        read(&self.ask(program, "/org/a11y/atspi/cache", "Cache.GetItems", &[]).unwrap_or_default())
    }

    fn ask(&self, program: &str, path: &str, method: &str, with: &[&str]) -> Result<String> {
        let mut command = Command::new("dbus-send");
        command.arg(format!("--bus={}", self.bus)).arg("--print-reply");
        command.arg(format!("--dest={program}")).arg(path).arg(format!("org.a11y.atspi.{method}"));
        command.args(with);
        run(command)
    }
}

/// What `Cache.GetItems` tells, as dbus-send prints it: a struct each, whose own members stand nine spaces in.
fn read(items: &str) -> Vec<Node> {
    let of_item = |item: &str| {
        let own =
            |kind| item.lines().find_map(|line| line.strip_prefix("         ")?.strip_prefix(kind));
        Some(Node {
            program: item.lines().find_map(|line| quoted(line, "string "))?.to_owned(),
            path: item.lines().find_map(|line| quoted(line, "object path "))?.to_owned(),
            name: own("string ")?.trim_matches('"').to_owned(),
            role: own("uint32 ")?.parse().ok()?,
            states: states(item)?,
        })
    };
    items.split("\n      struct {").skip(1).filter_map(of_item).collect()
}

/// The first word of an item's states, which are the only numbers in a list of it.
fn states(item: &str) -> Option<u32> {
    item.lines().find_map(|line| line.strip_prefix("            uint32 "))?.parse().ok()
}

/// The whole numbers of what dbus-send prints, in order.
fn numbers(told: &str) -> Vec<i32> {
    told.lines().filter_map(|line| line.trim_start().strip_prefix("int32 ")?.parse().ok()).collect()
}

fn quoted<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    line.trim_start().strip_prefix(kind)?.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEMS: &str = r#"method return time=1 sender=:1.0 -> destination=:1.4 serial=25 reply_serial=2
   array [
      struct {
         struct {
            string ":1.0"
            object path "/org/a11y/atspi/accessible/0/7"
         }
         struct {
            string ":1.9"
            object path "/org/a11y/atspi/accessible/root"
         }
         int32 -1
         int32 1
         array [
            string "org.a11y.atspi.Accessible"
         ]
         string "Refuse"
         uint32 43
         string "says no"
         array [
            uint32 4352
            uint32 0
         ]
      }
   ]
"#;

    #[test]
    fn what_the_bus_tells_of_a_button_is_read_as_its_name_and_role() {
        let node = read(ITEMS).pop().unwrap();
        assert_eq!((node.name.as_str(), node.role), ("Refuse", role::BUTTON));
        assert_eq!(
            (node.program.as_str(), node.path.as_str()),
            (":1.0", "/org/a11y/atspi/accessible/0/7")
        );
        assert_eq!(node.states, ENABLED | FOCUSED);
        assert_eq!(read(ITEMS).len(), 1);
        let place = "   struct {\n      int32 4\n      int32 -5\n      int32 60\n   }\n";
        assert_eq!(numbers(place), [4, -5, 60]);
    }
}
