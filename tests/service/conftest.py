"""A gateway's folder, made once as `cp247 init` makes it, but for the rules: no claim here is about the words of a mail."""

import shutil

import pytest
from rule_pack import FOLDER
from running import cp247

from gateway.config import load_settings
from gateway.service.nursery import Nursery
from gateway.service.single import equipment_of_files
from gateway.store.journal import open_journal


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("service") / "gateway"
    cp247("init", str(path))
    shutil.rmtree(path / "rules")
    shutil.copytree(FOLDER, path / "rules")
    return path


@pytest.fixture(scope="session")
def configured(folder):
    """Settings of the folder; DNS is a port where nobody answers, at once."""
    file = folder / "gateway.yaml"
    text = file.read_text(encoding="utf-8")
    if "\ndns:" not in text:
        file.write_text(text + '\ndns: {nameservers: ["127.0.0.1:9"], timeout: 0.2}\n', encoding="utf-8")
    return load_settings(str(file))


@pytest.fixture(scope="session")
def nursery(configured):
    made = Nursery(equipment_of_files(configured))
    yield made
    made.close()


@pytest.fixture
def journal(tmp_path):
    opened = open_journal(f"sqlite:{tmp_path}/gateway.db", upgrade=True)
    yield opened
    opened.close()
