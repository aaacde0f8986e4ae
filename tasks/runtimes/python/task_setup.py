"""What a Python task finds beside the language and its library; main.rs imports this before the program runs."""

import builtins
import sys

# Otherwise `site` brings them, which takes longer to import than most programs to run.
builtins.exit = builtins.quit = sys.exit


def place_of(error):
    """`file:line:column` of what went wrong in the program: its innermost place that is not in the library."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno or 1}:{error.offset or 1}"
    place = ""
    trace = error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        if code.co_filename.endswith(".py"):
            positions = list(code.co_positions())[trace.tb_lasti // 2]
            column = positions[2]
            place = f"{code.co_filename}:{trace.tb_lineno}:{1 if column is None else column + 1}"
        trace = trace.tb_next
    return place


def show(kind, error, trace):
    """Tells of an exception that nobody caught: first in one line, as compilers do, and then as Python does."""
    import traceback

    place = place_of(error)
    if place:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        print(f"{place}: {kind.__name__}: {message}", file=sys.stderr)
    traceback.print_exception(kind, error, trace)


sys.excepthook = show
