"""The addresses of pages: a path, and parameters after it."""

from urllib.parse import quote, urlencode


def link(path: str, **values: object) -> str:
    """A path with those parameters that are not None."""
    query = urlencode({name: str(value) for name, value in values.items() if value is not None})
    return f"{path}?{query}" if query else path


def user_path(user: str, **values: object) -> str:
    """The address of a user's page. Browsers would take `.` and `..` out of a path."""
    if user in (".", ".."):
        return link("/users/", id=user, **values)
    return link(f"/users/{quote(user, safe='')}", **values)


def generation_path(generation_id: str) -> str:
    """The address of a generation's page."""
    return f"/generations/{quote(generation_id, safe='')}"
