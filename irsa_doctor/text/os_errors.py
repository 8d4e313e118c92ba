"""Why the operating system refuses a path, in plain words."""

import errno

from irsa_doctor.text.named_files import SpecialFileError
from irsa_doctor.text.written_files import NotWritable


def os_error_reason(error: Exception) -> str:
    """Returns why a path cannot be read or written; a ValueError is that of a path with a NUL byte."""
    if isinstance(error, SpecialFileError | NotWritable):
        return str(error)
    if isinstance(error, PermissionError):
        return "no permission"
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0, f"the operating system refuses it (errno {error.errno or 'unknown'})")
    return "not a valid path"


_REASONS = {
    errno.ELOOP: "it refers to itself",
    errno.EEXIST: "something else is in its place",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.ENAMETOOLONG: "the path is too long",
    errno.ENOSPC: "no space is left on the device",
    errno.EFBIG: "it would be larger than files may be here",
    errno.EDQUOT: "no space is left for this user",
    errno.EROFS: "the file system is read-only",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.EINVAL: "not a file that can be read",
    errno.EIO: "the device reports an error",
    errno.ESTALE: "the file has vanished from the server that holds it",
    errno.ENXIO: "no such device",
    errno.ENOEXEC: "not a program of this system",
}
