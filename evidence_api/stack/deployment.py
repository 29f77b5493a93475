"""Secret files for docker-compose.yml, made once: `python -m evidence_api.stack.deployment DIRECTORY`.

Each file is one Docker secret. The directory is closed (0700), so that the files in it may be readable for the
containers' own accounts, which Docker gives them to as they are.
"""

import json
import secrets
import sys
from pathlib import Path

from evidence_api.stack.endpoints import APP_ROLE, DATABASE, OWNER_ROLE, SEQUENCER_ROLE
from evidence_api.stack.objectstore import JWT_KEYS, identities


def secret_files() -> dict[str, str]:
    """New content for every secret by file name. Host names are the services' names in docker-compose.yml."""

    def fresh() -> str:
        return secrets.token_urlsafe(32)

    def database_url(role: str, password: str) -> str:
        return f"postgresql+psycopg://{role}:{password}@db:5432/{DATABASE}"

    owner, app, sequencer, broker = fresh(), fresh(), fresh(), fresh()
    access_key, secret_key = f"dalel-{secrets.token_hex(6)}", fresh()
    return {
        "owner_password": owner,
        "app_password": app,
        "sequencer_password": sequencer,
        "owner_database_url": database_url(OWNER_ROLE, owner),
        "database_url": database_url(APP_ROLE, app),
        "sequencer_database_url": database_url(SEQUENCER_ROLE, sequencer),
        "broker_password": broker,
        "broker_url": f"redis://:{broker}@broker:6379/0",
        "broker.conf": f"requirepass {broker}\nappendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\n",
        "s3_access_key": access_key,
        "s3_secret_key": secret_key,
        "s3.json": json.dumps(identities(access_key, secret_key)),
        "object_store.env": "".join(f"WEED_JWT_{key}={fresh()}\n" for key in JWT_KEYS),
    }


def make(directory: Path) -> bool:
    """Write them all; False, and nothing is touched, when the directory is there already."""
    if directory.exists():
        return False
    directory.mkdir(mode=0o700, parents=True)
    for name, content in secret_files().items():
        path = directory / name
        path.write_text(content, encoding="utf-8")
        path.chmod(0o644)
    return True


if __name__ == "__main__":
    target = Path(sys.argv[1])
    made = make(target)
    sys.stdout.write(f"made {target}/\n" if made else f"{target}/ is there already and was left alone\n")
