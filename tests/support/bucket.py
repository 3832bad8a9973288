"""A bucket of the tests' own: moto's server in a process that can be killed."""

import os
import subprocess
import sys
from typing import Any

import boto3

from tests.support.environment import stop
from tests.support.ports import free_port, wait_for_port

NAME = "models"
KEYS = {"AWS_ACCESS_KEY_ID": "digits", "AWS_SECRET_ACCESS_KEY": "only-for-tests"}


class BucketServer:
    """Speaks S3 on loopback and keeps everything in memory. `url` is for MODEL_STORAGE_URL."""

    def __init__(self) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.url = f"s3://{NAME}/digits?endpoint_url={self.endpoint}&region_name=us-east-1"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(
            command, env=os.environ | KEYS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port)
        self.client.create_bucket(Bucket=NAME)

    @property
    def client(self) -> Any:
        keys = {name.lower(): value for name, value in KEYS.items()}
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **keys)

    def read(self, name: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=NAME, Key=name)["Body"].read()
        return content

    def names(self) -> list[str]:
        """The names of all objects: fewer than a listing's thousand."""
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=NAME).get("Contents", ())]

    def close(self) -> None:
        stop(self.process)
