"""Every built-in connector passes the conformance kit on its sandbox."""

from __future__ import annotations

from contextlib import AbstractContextManager

import plugins.agiloft.sandbox
import plugins.agiloft.sandbox.appending
import plugins.bugzilla.sandbox
import plugins.freshdesk.sandbox
import plugins.freshservice.sandbox
import plugins.gitlab.sandbox
import plugins.jira.sandbox
import plugins.mantis.sandbox
import plugins.otrs.sandbox
import plugins.servicedesk_plus.sandbox
import plugins.solarwinds.sandbox
import plugins.zendesk.sandbox
from hub.testing.conformance import ConformanceTests
from hub.testing.site import Site, sandbox_site
from plugins.agiloft.connector import AgiloftConnector
from plugins.bugzilla.connector import BugzillaConnector
from plugins.freshdesk.connector import FreshdeskConnector
from plugins.freshservice.connector import FreshserviceConnector
from plugins.gitlab.connector import GitlabConnector
from plugins.jira.connector import JiraConnector
from plugins.mantis.connector import MantisConnector
from plugins.otrs.connector import OtrsConnector
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.solarwinds.connector import SolarwindsConnector
from plugins.zendesk.connector import ZendeskConnector


class TestZendesk(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(ZendeskConnector, plugins.zendesk.sandbox)


class TestFreshdesk(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(FreshdeskConnector, plugins.freshdesk.sandbox)


class TestFreshservice(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(FreshserviceConnector, plugins.freshservice.sandbox)


class TestFreshdeskWithRatings(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(FreshdeskConnector, plugins.freshdesk.sandbox, read_ratings=True)


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


class TestServiceDeskPlusOnPremises(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(ServiceDeskPlusConnector, plugins.servicedesk_plus.sandbox, flavour="on_premises")


class TestServiceDeskPlusCloud(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(ServiceDeskPlusConnector, plugins.servicedesk_plus.sandbox, flavour="cloud")


class TestServiceDeskPlusWithReplies(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        sandbox = plugins.servicedesk_plus.sandbox
        return sandbox_site(ServiceDeskPlusConnector, sandbox, flavour="cloud", public_as="reply")


class TestSolarwinds(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(SolarwindsConnector, plugins.solarwinds.sandbox)


class TestBugzilla(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(BugzillaConnector, plugins.bugzilla.sandbox, flavour="5.2")


class TestBugzillaWithKeyInHeader(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(BugzillaConnector, plugins.bugzilla.sandbox, flavour="5.3")


class TestBugzillaOfMozilla(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(BugzillaConnector, plugins.bugzilla.sandbox, flavour="bmo")


class TestAgiloft(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(AgiloftConnector, plugins.agiloft.sandbox)


class TestAgiloftWithAppendedNotes(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return sandbox_site(AgiloftConnector, plugins.agiloft.sandbox.appending)
