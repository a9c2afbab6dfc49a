//! Where agents ask a person: the terminals that they run in, whose windows are as good as this
//! program's own, and other agents' windows (T2).
//!
//! Answers typed there are a person's, so no act of a viewer may land there. Decides which process
//! draws such a terminal: who holds the other side of it, or the first of its parents that has
//! windows; through tmux and screen by the terminals that they are attached to. Nothing is asked of
//! the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The programs that ask.
const AGENTS: [&str; 2] = ["tasuki-agentd", "tasuki-agent"];
/// Terminals within terminals; more is nobody's desk.
const DEEPEST: usize = 16;

/// Number of a Unix98 terminal: the `N` of /dev/pts/N.
type Tty = u32;
type Pid = u32;

/// What the system tells of the processes that may be looked into.
#[derive(Debug, Default)]
struct Table {
    processes: BTreeMap<Pid, Process>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Process {
    parent: Pid,
    /// The terminal that controls it, and the one that it reads.
    tty: Option<Tty>,
    reads: Option<Tty>,
    is_agent: bool,
    /// Terminals whose other side it holds: it draws them.
    masters: BTreeSet<Tty>,
    /// Terminals that it has open as anybody in them has.
    open: BTreeSet<Tty>,
}

/// The processes among `with_windows` that draw a terminal in which `own` or another agent asks, or
/// are another agent.
pub(super) fn asking(own: Pid, with_windows: &BTreeSet<Pid>) -> BTreeSet<Pid> {
    let table = Table::read(Path::new("/proc"));
    let agents = table.processes.iter().filter(|(_, process)| process.is_agent).map(|(pid, _)| *pid);
    let mut found = table.drawers(own, with_windows);
    for agent in agents.filter(|agent| *agent != own) {
        found.extend(table.drawers(agent, with_windows));
        found.insert(agent);
    }
    found
}

impl Table {
    fn read(proc: &Path) -> Self {
        let mut table = Self::default();
        for entry in fs::read_dir(proc).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            if let Some(process) = Process::read(&entry.path()) {
                table.processes.insert(pid, process);
            }
        }
        table
    }

    fn drawers(&self, own: Pid, with_windows: &BTreeSet<Pid>) -> BTreeSet<Pid> {
        let mut found = BTreeSet::new();
        let (mut known, mut waiting) = (BTreeSet::new(), Vec::new());
        waiting.extend(
            self.processes.get(&own).into_iter().flat_map(|own| [own.tty, own.reads]).flatten(),
        );
        while let Some(tty) = waiting.pop() {
            if !known.insert(tty) || known.len() > DEEPEST {
                continue;
            }
            for holder in self.holders(own, tty) {
                match self.lineage(holder).find(|pid| with_windows.contains(pid)) {
                    Some(drawer) => drop(found.insert(drawer)),
                    None => {
                        waiting.extend(self.processes.get(&holder).into_iter().flat_map(|p| &p.open))
                    }
                }
            }
        }
        found
    }

    /// Who holds the other side of `tty`. Of a process that may not be looked into (set-group-id,
    /// another user's) only its place in the lineage tells.
    fn holders(&self, own: Pid, tty: Tty) -> Vec<Pid> {
        let holds = |(pid, process): (&Pid, &Process)| process.masters.contains(&tty).then_some(*pid);
        let holders: Vec<Pid> = self.processes.iter().filter_map(holds).collect();
        if !holders.is_empty() {
            return holders;
        }
        let within = |pid: &Pid| self.processes.get(pid).is_some_and(|p| p.tty == Some(tty));
        self.lineage(own).skip_while(|pid| !within(pid)).find(|pid| !within(pid)).into_iter().collect()
    }

    /// `pid`, its parent, and so on.
    fn lineage(&self, pid: Pid) -> impl Iterator<Item = Pid> {
        let parent = |pid: &Pid| self.processes.get(pid).map(|p| p.parent).filter(|p| *p > 1);
        std::iter::successors(Some(pid), parent).take(self.processes.len() + 1)
    }
}

impl Process {
    /// Who ended meanwhile draws nothing.
    fn read(folder: &Path) -> Option<Self> {
        let (parent, tty) = stat(folder)?;
        let mut process = Self { parent, tty, is_agent: is_agent(folder), ..Self::default() };
        for entry in fs::read_dir(folder.join("fd")).into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(entry.path()) else { continue };
            let Some(name) = target.to_str() else { continue };
            if name.ends_with("/ptmx") {
                process.masters.extend(index(&folder.join("fdinfo").join(entry.file_name())));
            } else if let Some(number) = name.strip_prefix("/dev/pts/")
                && let Ok(number) = number.parse::<Tty>()
            {
                process.open.insert(number);
                if entry.file_name() == "0" {
                    process.reads = Some(number);
                }
            }
        }
        Some(process)
    }
}

fn is_agent(folder: &Path) -> bool {
    let file = fs::read_link(folder.join("exe"));
    let name = file.ok().and_then(|file| file.file_name()?.to_str().map(str::to_owned));
    name.is_some_and(|name| AGENTS.contains(&name.trim_end_matches(" (deleted)")))
}

/// Parent and controlling terminal; fields 4 and 7 of proc(5)'s `stat`, after a name that may hold
/// anything.
fn stat(folder: &Path) -> Option<(Pid, Option<Tty>)> {
    let text = fs::read_to_string(folder.join("stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let device: u32 = fields.nth(2)?.parse::<i64>().ok()?.try_into().ok()?;
    Some((parent, unix98(device)))
}

/// Device number 136 is that of Unix98 terminals; a console or a serial line has no window.
fn unix98(device: u32) -> Option<Tty> {
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    (major == 136).then_some(minor)
}

fn index(info: &PathBuf) -> Option<Tty> {
    let text = fs::read_to_string(info).ok()?;
    text.lines().find_map(|line| line.strip_prefix("tty-index:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(parent: Pid, tty: Option<Tty>, masters: &[Tty], open: &[Tty]) -> Process {
        let set = |ttys: &[Tty]| ttys.iter().copied().collect();
        Process { parent, tty, masters: set(masters), open: set(open), ..Process::default() }
    }

    fn table(processes: Vec<(Pid, Process)>) -> Table {
        Table { processes: processes.into_iter().collect() }
    }

    const OWN: Pid = 100;
    const SHELL: Pid = 90;
    const WINDOW_MANAGER: Pid = 10;

    #[test]
    fn t2_an_emulator_draws_the_terminal_of_its_shell_and_who_started_it_does_not() {
        let table = table(vec![
            (WINDOW_MANAGER, process(1, None, &[], &[])),
            (50, process(WINDOW_MANAGER, None, &[3], &[])),
            (60, process(WINDOW_MANAGER, None, &[4], &[])),
            (SHELL, process(50, Some(3), &[], &[3])),
            (OWN, process(SHELL, Some(3), &[], &[3])),
        ]);
        let windows = BTreeSet::from([WINDOW_MANAGER, 50, 60]);
        assert_eq!(table.drawers(OWN, &windows), BTreeSet::from([50]));
    }

    #[test]
    fn t2_a_holder_without_windows_is_a_part_of_a_program_that_has_some() {
        let table = table(vec![
            (WINDOW_MANAGER, process(1, None, &[], &[])),
            (50, process(WINDOW_MANAGER, None, &[], &[])),
            (51, process(50, None, &[3], &[])),
            (SHELL, process(51, Some(3), &[], &[3])),
            (OWN, process(SHELL, Some(3), &[], &[3])),
        ]);
        let windows = BTreeSet::from([WINDOW_MANAGER, 50]);
        assert_eq!(table.drawers(OWN, &windows), BTreeSet::from([50]));
    }

    #[test]
    fn t2_a_multiplexer_is_drawn_wherever_it_is_attached() {
        let table = table(vec![
            (40, process(1, None, &[3], &[7, 8])),
            (50, process(WINDOW_MANAGER, None, &[7], &[])),
            (60, process(WINDOW_MANAGER, None, &[8], &[])),
            (70, process(WINDOW_MANAGER, None, &[9], &[])),
            (SHELL, process(40, Some(3), &[], &[3])),
            (OWN, process(SHELL, Some(3), &[], &[3])),
        ]);
        let windows = BTreeSet::from([WINDOW_MANAGER, 50, 60, 70]);
        assert_eq!(table.drawers(OWN, &windows), BTreeSet::from([50, 60]));
    }

    #[test]
    fn t2_an_emulator_that_cannot_be_looked_into_is_known_by_its_children() {
        let table = table(vec![
            (WINDOW_MANAGER, process(1, None, &[], &[])),
            (50, process(WINDOW_MANAGER, Some(1), &[], &[])),
            (SHELL, process(50, Some(3), &[], &[3])),
            (OWN, process(SHELL, Some(3), &[], &[3])),
        ]);
        let windows = BTreeSet::from([WINDOW_MANAGER, 50]);
        assert_eq!(table.drawers(OWN, &windows), BTreeSet::from([50]));
    }

    #[test]
    fn t2_what_an_agent_reads_counts_and_not_only_what_controls_it() {
        let reading = Process { reads: Some(3), ..process(SHELL, None, &[], &[3]) };
        let table = table(vec![
            (50, process(WINDOW_MANAGER, None, &[3], &[])),
            (SHELL, process(50, Some(3), &[], &[3])),
            (OWN, reading),
        ]);
        assert_eq!(table.drawers(OWN, &BTreeSet::from([50])), BTreeSet::from([50]));
    }

    #[test]
    fn terminals_that_lead_in_a_circle_lead_to_nobody() {
        let table = table(vec![
            (40, process(41, None, &[3], &[4])),
            (41, process(40, None, &[4], &[3])),
            (OWN, process(40, Some(3), &[], &[])),
        ]);
        assert_eq!(table.drawers(OWN, &BTreeSet::from([OWN + 1])), BTreeSet::new());
    }

    #[test]
    fn a_device_number_names_a_terminal_or_a_console() {
        assert_eq!(unix98(136 << 8 | 5), Some(5));
        assert_eq!(unix98((1 << 20) | (136 << 8) | 0x2c), Some(0x12c));
        assert_eq!(unix98(4 << 8 | 1), None);
        assert_eq!(unix98(0), None);
    }

    #[test]
    fn what_is_no_table_of_processes_is_empty() {
        assert!(Table::read(Path::new("/nowhere")).processes.is_empty());
        assert_eq!(stat(Path::new("/nowhere")), None);
    }
}
