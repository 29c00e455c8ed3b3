from typing import Any, Dict, Iterator, NamedTuple, Optional

from . import Space, Template, Tuple

KEEP: int

class Event(NamedTuple):
    kind: str
    cursor: int
    id: int
    tuple: Optional[Tuple]

class Watch(Iterator[Event]):
    def __enter__(self) -> Watch: ...
    def __exit__(self, *error: Any) -> None: ...
    def __next__(self) -> Event: ...
    def close(self) -> None: ...

def each(space: Space, template: Template, options: Dict[str, Any]) -> Watch: ...
