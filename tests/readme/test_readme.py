"""A stranger's hour: every command of the READMEs, copied and run as it stands there, in a clone of what is committed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
READMES = ["README.md", "README.zh.md", "docs/operator.md"]
# What a reader does once, and what takes longer than a test may; that there is such a target is looked at all the same.
NOT_RUN = {
    "cargo install --locked --path .": "builds the release: a quarter of an hour",
    "make lambda": "builds the package, which `make test-package` tests",
    "make lambda-local": "runs until it is stopped; tests/infra starts it",
    ".venv/bin/cargo-lambda lambda invoke --invoke-address 127.0.0.1 --data-file samples/events/sync.json": "asks what `make lambda-local` runs; tests/infra does",
}
# Words that stand for what the reader has.
PLACEHOLDERS = re.compile(r"\b(ID|DAY|KEY|INSTANT)\b|…")


def blocks(text):
    """The lines of every block of shell, without comments and what stands for something."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        lines = [re.sub(r"\s+#.*", "", line).strip() for line in block.splitlines()]
        yield [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What is committed and what is about to be, in a folder of its own: nothing else is there for a stranger."""
    folder = tmp_path_factory.mktemp("stranger") / "rollcall"
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    # A stranger has them after the first build and the first installation, which are the tests' own here.
    (folder / "target").symlink_to(BINARIES.parent)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.fixture(scope="module")
def vendor():
    """The vendor that the reader's token is for."""
    command = [BINARIES / "simulator", "--token", "stranger", "--events", "4", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as simulator:
        yield simulator.stdout.readline().strip()
        simulator.stdin.close()


def run(lines, folder, **environment):
    """Runs the lines one after the other in one shell; the first that fails ends it."""
    script = "set -eu\n" + "\n".join(lines)
    outcome = subprocess.run(["bash", "-c", script], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    assert outcome.returncode == 0, f"{script}\n{outcome.stdout}\n{outcome.stderr}"
    return outcome.stdout


@pytest.mark.parametrize("readme", READMES)
def test_every_command_can_be_copied_and_run(readme, clone, vendor):
    text = (clone / readme).read_text()
    found = list(blocks(text))
    assert sum(map(len, found)) >= 5, readme
    for lake in ["rollcall-data", "rollcall-demo", "pseudonyms"]:
        shutil.rmtree(clone / lake, ignore_errors=True)
    environment = {"ROLLCALL_API_URL": vendor, "PATH": f"{BINARIES}:{os.environ['PATH']}"}
    if readme.startswith("docs/"):
        # Its reader has a lake, and knows the first page.
        environment |= {"ROLLCALL_TOKEN": "stranger"}
        run(["rollcall sync -q --event 609768"], clone, **environment)
    for lines in found:
        kept = []
        for line in lines:
            if line.startswith("make "):
                subprocess.run(["make", "-n", *line.split()[1:]], cwd=clone, check=True, capture_output=True)
            if line in NOT_RUN:
                continue
            if line == "export ROLLCALL_TOKEN=…":
                line = "export ROLLCALL_TOKEN=stranger"
                # The simulated events are years old.
                kept.append("export ROLLCALL_LOOKBACK=4000d")
            # The event that the simulated vendor has for certain.
            line = re.sub(r"--event ID(?= -|$)", "--event 609768", line)
            if PLACEHOLDERS.search(line):
                words = line.split()
                usage = subprocess.run([BINARIES / "rollcall", words[1], "--help"], check=True, capture_output=True, text=True).stdout
                options = [word for word in words if word.startswith("--")]
                assert options and all(option in usage for option in options), line
                continue
            kept.append(line)
        run(kept, clone, **environment)


def test_the_crontab_of_the_docs_prints_nothing_while_all_is_well_and_names_what_is_wrong(clone, vendor, tmp_path):
    page = (clone / "docs/operator.md").read_text()
    (settings,) = re.findall(r"```ini\n(.*?)```", page, re.DOTALL)
    # What the simulated vendor knows.
    settings = settings.replace("USER_ID='…'", "USER_ID='1'").replace("='…'", "='demo'")
    settings = settings.replace("/var/lib/rollcall", str(tmp_path / "lake"))
    # The simulated events are years old.
    (tmp_path / "rollcall.env").write_text(f"{settings}ROLLCALL_API_URL={vendor}\nROLLCALL_LOOKBACK=4000d\n")
    (crontab,) = re.findall(r"```crontab\n(.*?)```", page, re.DOTALL)
    commands = re.findall(r"^[\d*]+ [\d*]+ \* \* \* (.+)$", crontab, re.MULTILINE)
    assert len(commands) == 2
    # Where `cargo install --root /usr/local` puts it; here it lies elsewhere.
    (path,) = re.findall(r"^PATH=(.+)$", crontab, re.MULTILINE)
    assert "/usr/local/bin" in path.split(":")

    def mail():
        said = []
        for command in commands:
            command = command.replace("/etc/rollcall.env", str(tmp_path / "rollcall.env"))
            outcome = subprocess.run(["sh", "-c", command], env={"PATH": f"{BINARIES}:{path}"}, capture_output=True, text=True)
            said.append(outcome.stdout + outcome.stderr)
        return said

    assert mail() == ["", ""]
    assert list((tmp_path / "lake/lake/lives").glob("dt=*")) and list((tmp_path / "lake/archive").glob("dt=*"))
    (tmp_path / "lake/lake/lives/notes.csv").write_text("a,b")
    assert "notes.csv" in mail()[1]


def test_commands_that_the_tests_skip_are_still_in_the_readme():
    lines = {line for block in blocks((ROOT / "README.md").read_text()) for line in block}
    assert set(NOT_RUN) <= lines


def test_every_link_of_the_docs_leads_somewhere():
    for page in [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "infra/README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_both_readmes_have_the_same_commands():
    english, chinese = ((ROOT / name).read_text() for name in ("README.md", "README.zh.md"))
    assert list(blocks(english)) == list(blocks(chinese))
    for named in [r"`(--[a-z0-9-]+)", r"`([A-Z]+_[A-Z_]+)", r"\((docs/\w+\.md|infra/\w+\.md)\)"]:
        assert set(re.findall(named, english)) == set(re.findall(named, chinese)), named
    queries = (re.sub(r"--.*", "", re.search(r"```sql\n(.*?)```", text, re.DOTALL).group(1)) for text in (english, chinese))
    assert len(set(queries)) == 1


def test_every_file_that_the_docs_name_exists():
    for page in sorted((ROOT / "docs").glob("*.md")):
        for named in re.findall(r"`((?:src|tests|samples|docs|infra)/[\w./-]+)`", page.read_text()):
            assert (ROOT / named).exists(), f"{page.name}: {named}"


def test_every_problem_note_and_alarm_is_on_the_operators_page():
    page = (ROOT / "docs/operator.md").read_text()
    status = "".join(path.read_text() for path in (ROOT / "src/inspect/status").glob("*.rs"))
    names = set(re.findall(r'Advice::(?:new|about)\(\s*"(\w+)"', status))
    alarms = set(re.findall(r"^    ([a-z-]+) = \{$", (ROOT / "infra/account/alarms.tf").read_text(), re.MULTILINE)) | {"rejects"}
    assert len(names) >= 8 and len(alarms) >= 9
    assert {name for name in names | alarms if f"`{name}`" not in page} == set()
