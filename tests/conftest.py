"""What holds for all tests."""

import signal

# a shell lets what it starts in the background ignore these, and so would the programs that tests start and then interrupt
for _number in filter(None, (signal.SIGINT, getattr(signal, "SIGHUP", None))):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)
