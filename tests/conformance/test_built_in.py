"""Every built-in connector passes the conformance kit on its sandbox."""

from __future__ import annotations

from contextlib import AbstractContextManager

import plugins.agiloft.sandbox
import plugins.agiloft.sandbox.appending
import plugins.freshdesk.sandbox
import plugins.gitlab.sandbox
import plugins.jira.sandbox
import plugins.mantis.sandbox
import plugins.otrs.sandbox
import plugins.zendesk.sandbox
from hub.testing.conformance import ConformanceTests
from hub.testing.site import Site, sandbox_site
from plugins.agiloft.connector import AgiloftConnector
from plugins.freshdesk.connector import FreshdeskConnector
from plugins.gitlab.connector import GitlabConnector
from plugins.jira.connector import JiraConnector
from plugins.mantis.connector import MantisConnector
from plugins.otrs.connector import OtrsConnector
from plugins.zendesk.connector import ZendeskConnector


class TestZendesk(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(ZendeskConnector, plugins.zendesk.sandbox)


class TestFreshdesk(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(FreshdeskConnector, plugins.freshdesk.sandbox)


class TestGitLab(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(GitlabConnector, plugins.gitlab.sandbox)


class TestJiraCloud(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(JiraConnector, plugins.jira.sandbox, flavour="cloud")


class TestJiraDataCenter(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(JiraConnector, plugins.jira.sandbox, flavour="datacenter")


class TestOtrs(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(OtrsConnector, plugins.otrs.sandbox)


class TestMantis(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(MantisConnector, plugins.mantis.sandbox)


class TestAgiloft(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(AgiloftConnector, plugins.agiloft.sandbox)


class TestAgiloftWithAppendedNotes(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(AgiloftConnector, plugins.agiloft.sandbox.appending)
