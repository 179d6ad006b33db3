"""The web page in a real browser, headless Chromium."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from tests.server.running import Server


@pytest.fixture
def browser(own_server: Server, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A browser that believes this server's key and no other."""
    pem = (own_server.data / "ca" / "server.pem").read_bytes()
    public = x509.load_pem_x509_certificate(pem).public_key()
    spki = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new",
        # Its sandbox refuses root and wants namespaces that a container may lack.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--ignore-certificate-errors-spki-list={base64.b64encode(spki).decode()}",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
    driver.implicitly_wait(20)
    yield driver
    driver.quit()


def _text(browser: webdriver.Chrome, identifier: str) -> str:
    return browser.find_element(By.ID, identifier).text


def _stands_beside_its_field(browser: webdriver.Chrome, label: WebElement) -> None:
    left, right = label.rect, browser.find_element(By.ID, str(label.get_attribute("for"))).rect
    assert left["x"] + left["width"] <= right["x"], label.text
    middle = right["y"] + right["height"] / 2
    assert left["y"] <= middle <= left["y"] + left["height"], label.text


def test_an_operators_day(own_server: Server, browser: webdriver.Chrome) -> None:
    evil = "<script>alert(1)</script>"
    asks = own_server.node(vendor="<img src=x onerror=alert(1)>")
    asks.enroll(own_server.token("--pool", "racks"), name=evil)
    other = own_server.node()
    other.enroll(own_server.token("--pool", "racks"), name="turned-away")

    browser.get(f"{own_server.url}/")
    assert browser.current_url.endswith("/login")
    browser.find_element(By.ID, "token").send_keys("nca_wrong\n")
    assert "not the admin token" in browser.find_element(By.CSS_SELECTOR, "[role=alert]").text
    browser.find_element(By.ID, "token").send_keys(own_server.admin_token + "\n")
    browser.find_element(By.ID, "nodes")
    assert browser.get_cookies()[0]["sameSite"] == "Strict"
    assert evil in browser.find_element(By.ID, "nodes").text

    browser.find_element(By.LINK_TEXT, "racks").click()
    browser.find_element(By.LINK_TEXT, str(asks.node_id)).click()
    shown = _text(browser, "key").lower().removeprefix("sha256:").replace(":", "")
    assert shown == asks.fingerprint
    browser.find_element(By.ID, "approve").click()
    browser.find_element(By.ID, "retire")
    assert _text(browser, "state") == "approved"
    assert asks.enroll().status_code == 200
    asks.heartbeat(state={"health": evil})
    asks.put_facts({"nics": [{"name": evil, "mac": "52:54:00:00:00:01"}], "memory": 17})
    asks.put_facts({"nics": [{"name": evil}], "memory": 18})

    browser.refresh()
    assert _text(browser, "state") == "active"
    assert evil in _text(browser, "facts")
    assert "memory, nics" in _text(browser, "history")
    assert "web:admin" in _text(browser, "events")
    with pytest.raises(NoAlertPresentException):
        _ = browser.switch_to.alert.text
    # The style sheet is let in by the page's own policy, and nothing was refused by it.
    assert browser.execute_script("return document.styleSheets.length") == 1
    assert not [
        entry for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]
    ]

    # For good: the box has to be ticked first.
    browser.find_element(By.ID, "retire").click()
    assert _text(browser, "state") == "active"
    browser.get(f"{own_server.url}/nodes/{other.node_id}")
    browser.find_element(By.ID, "reject").click()
    browser.find_element(By.CSS_SELECTOR, "#state.retired")
    assert other.enroll().json()["code"] == "retired"

    browser.find_element(By.LINK_TEXT, "Tokens").click()
    labels = browser.find_elements(By.CSS_SELECTOR, "form.fields label")
    assert len(labels) == 6
    for label in labels:
        _stands_beside_its_field(browser, label)
    Select(browser.find_element(By.ID, "ttl")).select_by_visible_text("7 days")
    browser.find_element(By.ID, "auto_approve").click()
    browser.find_element(By.ID, "make").click()
    secret = _text(browser, "secret")
    assert own_server.node().enroll(secret).status_code == 200
    browser.find_element(By.LINK_TEXT, "Events").click()
    assert "token-created" in _text(browser, "events")
    browser.find_element(By.XPATH, "//button[text()='Log out']").click()
    browser.find_element(By.ID, "token")
    browser.get(f"{own_server.url}/nodes")
    assert browser.current_url.endswith("/login")
