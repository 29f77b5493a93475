"""Each server of the stack serves a real client."""

import io

import psycopg
import pytest
import redis
from minio import Minio

from evidence_api.stack.endpoints import Endpoints, ObjectStoreAddress
from evidence_api.stack.stack import with_role
from tests.databases import FreshDatabase, conninfo


def test_the_fresh_database_is_its_owners(fresh_database: FreshDatabase) -> None:
    with psycopg.connect(conninfo(fresh_database.owner_url)) as connection:
        row = connection.execute("SELECT current_user, current_database(), version()").fetchone()
    assert row is not None
    assert row[:2] == ("dalel_owner", fresh_database.name)


def test_the_wrong_password_is_refused_even_on_loopback(stack: Endpoints) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(conninfo(with_role(stack.owner_url, "dalel_owner", "guess"))).close()


def test_the_object_store_makes_a_locked_bucket_and_keeps_an_object(object_store_endpoint: ObjectStoreAddress) -> None:
    client = Minio(
        object_store_endpoint.endpoint,
        object_store_endpoint.access_key,
        object_store_endpoint.secret_key,
        secure=object_store_endpoint.secure,
    )
    client.make_bucket("stack-test", object_lock=True)
    client.put_object("stack-test", "thing", io.BytesIO(b"bytes"), 5)
    with client.get_object("stack-test", "thing") as answer:
        assert answer.read() == b"bytes"


def test_the_broker_keeps_what_it_is_told(broker_url: str) -> None:
    with redis.Redis.from_url(broker_url) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        client.set("stack-test", "kept")
        assert client.get("stack-test") == b"kept"
