"""Asking a Ray cluster's dashboard, which serves Ray Jobs, whether it is there and lets us in."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

from search_spaces.errors import MmptError

__all__ = ["JobsError", "is_jobs_address", "jobs_version", "ray_token"]

_SECONDS = 5.0
_SHOWN = "RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token"


class JobsError(MmptError):
    """The dashboard is not there, or refuses.

    Attributes:
        cure: what to do about it.
    """

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(f"{what}; {cure}")
        self.what = what
        self.cure = cure


def is_jobs_address(address: str | None) -> bool:
    """Tell whether an address is a dashboard's (http) and not a cluster's own."""
    return address is not None and address.startswith(("http://", "https://"))


def ray_token() -> str | None:
    """Return the token that Ray's own clients would send; None if there is none."""
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token.strip()
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def jobs_version(address: str) -> str:
    """Return the version of Ray that answers at a dashboard's address.

    Raises:
        JobsError: nothing answers there, what answers is no Ray, or it wants a token that we do not have.
    """
    token = ray_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"{address.rstrip('/')}/api/version", headers=headers)  # noqa: S310 (http or https, checked)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return str(json.loads(answer.read())["ray_version"])
    except urllib.error.HTTPError as error:
        raise _refused(address, error.code, has_token=token is not None) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        cure = "start the cluster, open the port, or forward it: ssh -L 8265:localhost:8265 <head>"
        raise JobsError(f"no Ray dashboard answers at {address}: {reason}", cure) from None
    except (KeyError, TypeError):
        raise JobsError(f"what answers at {address} is no Ray dashboard", "give http://<head>:8265") from None


def _refused(address: str, code: int, *, has_token: bool) -> JobsError:
    if code in (401, 403):
        what = "does not accept this token" if has_token else "wants a token"
        cure = f"give the cluster's token, {_SHOWN}; `ray get-auth-token` on the head shows it"
        return JobsError(f"the Ray dashboard at {address} {what} (HTTP {code})", cure)
    return JobsError(f"the Ray dashboard at {address} answers HTTP {code}", "look into its log on the head")
