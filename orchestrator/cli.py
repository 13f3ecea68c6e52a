"""The command line. A file in `orchestrator/commands` is a command; nothing heavy is imported before it runs."""

import ast
import pkgutil
import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import click

from search_spaces.errors import MmptError, UnknownNameError

__all__ = ["EXIT_CODES", "main"]

EXIT_CODES = {
    0: "everything asked for is done",
    1: "some trials failed, the others are done; or `mmpt doctor` found a problem",
    2: "a name, value or path is wrong; nothing was started",
    3: "the sweep is not complete",
    4: "the sweep cannot go on (cluster lost, disk full); what is done is kept, the same command goes on",
    130: "interrupted; what is done is kept",
}
_PACKAGE = "orchestrator.commands"


class _Commands(click.Group):
    """Finds commands by scanning the folder and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        paths: Any = import_module(_PACKAGE).__path__
        return sorted(item.name for item in pkgutil.iter_modules(paths) if not item.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in self.list_commands(ctx):
            raise UnknownNameError("command", cmd_name, self.list_commands(ctx))
        command: click.Command = import_module(f"{_PACKAGE}.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands with the first line of their files, so that help needs no torch."""
        rows = [(name, _first_line(name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


def _first_line(name: str) -> str:
    spec = find_spec(f"{_PACKAGE}.{name}")
    assert spec is not None
    assert spec.origin is not None
    return (ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or "").partition("\n")[0]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mmpt-sweep", prog_name="mmpt")
def _mmpt() -> None:
    """Sweep training methods over missing-modality rates and tabulate which one to use.

    \b
    A first sweep, its tables, and its MLflow pages:
      mmpt run quickstart
      mmpt report --store mmpt-store --out mmpt-report
      mmpt ui --store mmpt-store
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and exit with one of `EXIT_CODES`; a user's mistake is one line, never a traceback."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = _mmpt.main(args=arguments, prog_name="mmpt", standalone_mode=False)
    except MmptError as error:
        click.echo(f"mmpt: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("mmpt: interrupted; what is done is kept, the same command goes on", err=True)
        sys.exit(130)
    sys.exit(code or 0)


def _interrupt(signal_number: int, frame: Any) -> NoReturn:
    del signal_number, frame
    raise KeyboardInterrupt
