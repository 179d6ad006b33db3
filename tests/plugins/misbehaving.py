"""Plugins that misbehave, each in one way: its code, what is said of it, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Bad:
    """`words` are a pattern of what is said; `state` what it is afterwards; `where` it is asked for that.

    `stops` says that even an optional one stops the installation: never.
    """

    name: str
    code: str
    words: str
    state: str = "loaded"
    keywords: str = "nodecrust-api=1"


def _validate(body: str) -> str:
    lines = "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())
    return f"@hookimpl\ndef node_validate(answers, inventory):\n{lines}\n"


_STEP = """
@dataclass(frozen=True)
class {name}(Step):
    word: str = ""
    def summary(self): return {summary}
    def apply(self, system): pass
"""

BAD = (
    Bad("hang-import", "time.sleep(600)", "took longer than 1.5 s in its import", "failed"),
    Bad(
        "hang-sections",
        "@hookimpl\ndef node_sections(): time.sleep(600)",
        "took longer than 1.5 s in node_sections",
        "failed",
    ),
    Bad("hang-validate", _validate("time.sleep(600)"), "took longer .* in node_validate", "failed"),
    Bad(
        "hang-plan",
        "@hookimpl\ndef node_plan():\n    while True: pass",
        "took longer .* in node_plan",
        "failed",
    ),
    Bad(
        "hang-render",
        "@hookimpl\ndef node_render(): time.sleep(600)",
        "took longer .* in node_render",
        "failed",
    ),
    Bad(
        "hang-whatever-comes",
        _validate(
            """
            while True:
                try:
                    time.sleep(600)
                except BaseException:
                    pass
            """
        ),
        "took longer .* in node_validate",
        "failed",
    ),
    Bad(
        "stops-itself",
        _validate("os.kill(os.getpid(), signal.SIGSTOP); time.sleep(600)"),
        "took longer",
        "failed",
    ),
    Bad(
        "raises",
        _validate("raise RuntimeError('no power')"),
        "failed in node_validate: RuntimeError: no power",
    ),
    Bad("raises-base", _validate("raise KeyboardInterrupt"), "failed in node_validate: KeyboardInterrupt"),
    Bad(
        "raises-without-words",
        "class Odd(Exception):\n    def __str__(self): raise ValueError\n" + _validate("raise Odd"),
        "failed in node_validate: Odd",
    ),
    Bad("exits", _validate("sys.exit(3)"), r"it called exit\(3\) instead of returning"),
    Bad("exits-at-import", "sys.exit('bye')", "failed in its import: it called exit", "failed"),
    Bad("ends", _validate("os._exit(3)"), "ended its process with status 3 in node_validate", "failed"),
    Bad(
        "crashes",
        _validate("ctypes.string_at(1)"),
        r"crashed its process \(SIGSEGV\) in node_validate",
        "failed",
    ),
    Bad(
        "crashes-at-import", "ctypes.string_at(1)", r"crashed its process \(SIGSEGV\) in its import", "failed"
    ),
    Bad(
        "prints-a-gigabyte",
        _validate("text = 'x' * (1 << 20)\nfor _ in range(1 << 10): print(text)"),
        "printed more than 8 MiB in node_validate",
        "failed",
    ),
    Bad("gives-text", _validate("return 'problems'"), "gave a str in node_validate, not a tuple"),
    Bad("gives-numbers", _validate("return [1, 2]"), "gave a int in node_validate, not a Problem"),
    Bad(
        "gives-half",
        _validate("return [Problem(1, 2, 3, 4)]"),
        "gave in node_validate a Problem that is none: code",
    ),
    Bad(
        "fails-late",
        _validate("yield Problem('a', 'b', 'c', 'd')\nraise RuntimeError('late')"),
        "failed in node_validate: RuntimeError: late",
    ),
    Bad(
        "forks",
        _validate(
            "for _ in range(200):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(600)\n"
            "time.sleep(600)"
        ),
        "took longer",
        "failed",
    ),
    Bad(
        "writes-to-the-host",
        _validate("os.write(4, b'garbage' * 100); time.sleep(600)"),
        "wrote what is no answer of the plugin host in node_validate",
        "failed",
    ),
    Bad(
        "answers-for-another",
        _validate("os.write(4, b'\\0\\0\\0\\x0d{\"id\": 12345}'); time.sleep(600)"),
        "wrote what is no answer",
        "failed",
    ),
    Bad(
        "closes-all",
        _validate("os.closerange(0, 256); time.sleep(600)"),
        "closed the plugin host's pipes in node_validate",
        "failed",
    ),
    Bad(
        "starts-threads",
        _validate(
            "for _ in range(20): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
        ),
        "changed the process by a thread that goes on in node_validate",
    ),
    Bad(
        "moves",
        _validate(
            "os.chdir('/'); os.umask(0); os.environ['PATH'] = '/nowhere'\n"
            "locale.setlocale(locale.LC_ALL, 'C.UTF-8')"
        ),
        "changed the working directory in node_validate",
    ),
    Bad(
        "patches",
        "import node.model.problem\n"
        + _validate("node.model.problem.Problem.__init__ = lambda *_, **__: None; return [Problem()]"),
        "replaced node.model.problem.Problem.__init__, which others build upon",
        "failed",
    ),
    Bad(
        "changes-arguments",
        _validate("inventory.facts['mine'] = 1; object.__setattr__(inventory, 'disks', ())"),
        "changed its argument inventory, which nobody else sees",
    ),
    Bad(
        "gives-much",
        _validate("return [Problem('a', 'b', 'x' * (100 << 20), 'd')]"),
        "it gave 100 MiB; at most 8 MiB are taken",
    ),
    Bad("recurses", _validate("def f(): return f()\nreturn f()"), "failed in node_validate: RecursionError"),
    Bad(
        "nests",
        _validate("x = []\nfor _ in range(100000): x = [x]\nreturn x"),
        "gave a list in node_validate",
    ),
    Bad("eats-memory", _validate("x = bytearray(8 << 30)"), "failed in node_validate: MemoryError"),
    Bad(
        "misspelt",
        "@hookimpl\ndef node_validat(answers): pass",
        r"node_validat is no hook; did you mean node_validate\?",
        "refused",
    ),
    Bad(
        "wants-more",
        "@hookimpl\ndef node_validate(answer): pass",
        "node_validate wants the argument answer; there are: answers, inventory",
        "refused",
    ),
    Bad("unmarked", "def node_validate(answers): pass", "node_validate has no @hookimpl", "refused"),
    Bad(
        "not-there", "import vendor_lib", "failed in its import: ModuleNotFoundError: .*vendor_lib", "failed"
    ),
    Bad("broken", "def (:", "failed in its import: SyntaxError", "failed"),
    Bad(
        "of-tomorrow",
        "",
        "wants versions 2 to 3 of the plugin interface; this is 1",
        "refused",
        "nodecrust-api=2-3",
    ),
    Bad(
        "double-section",
        "class Mine(SectionModel):\n    key: ClassVar[str] = 'storage'\n"
        "@hookimpl\ndef node_sections(): return [Section(Mine, 'Mine')]",
        "offers the section 'storage', which another plugin has: storage",
    ),
    Bad(
        "demanding-section",
        "class Mine(SectionModel):\n    key: ClassVar[str] = 'demanding'\n    must: str\n"
        "@hookimpl\ndef node_sections(): return [Section(Mine, 'Mine')]",
        "its section 'demanding' has no defaults: ValidationError",
    ),
    Bad(
        "odd-section",
        "class Mine(SectionModel):\n    key: ClassVar[str] = '../etc'\n"
        "@hookimpl\ndef node_sections(): return [Section(Mine, 'Mine')]",
        "is no word of small letters",
    ),
    Bad(
        "double-step",
        _STEP.format(name="PartitionDisk", summary="'Partition it too'")
        + "@hookimpl\ndef node_plan(): return [PlannedStep('partition', PartitionDisk())]",
        "has a step PartitionDisk, as plugin storage does",
    ),
    Bad(
        "hidden-step",
        "@hookimpl\ndef node_plan():\n"
        "    @dataclass(frozen=True)\n    class Hidden(Step):\n        def summary(self): return 'x'\n"
        "    return [PlannedStep('vendor', Hidden())]",
        "its step Hidden can't be made again from its fields",
    ),
    Bad(
        "mute-step",
        _STEP.format(name="Mute", summary="''")
        + "@hookimpl\ndef node_plan(): return [PlannedStep('vendor', Mute())]",
        "its step mute_step_plugin:Mute doesn't say what it does",
    ),
    Bad(
        "other-phase",
        _STEP.format(name="Later", summary="'Later'")
        + "@hookimpl\ndef node_plan(): return [PlannedStep('later', Later())]",
        "gave a step in the phase 'later', which there is not",
    ),
    Bad(
        "escapes",
        _validate("raise RuntimeError('\\x1b[2J\\x1b[31mred\\u202e\\ud800\\nline')"),
        "failed in node_validate: RuntimeError: \ufffd\\[2J\ufffd\\[31mred\ufffd+ line",
    ),
    Bad(
        "odd-argument",
        "@hookimpl\ndef node_kernel_args(): return ['quiet\\ninit=/bin/sh']",
        "gave a text with characters that can't stand there",
    ),
)
