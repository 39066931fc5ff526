package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
)

// Answers that say something about the user: what a site gives to whom it knows, mails, the password that the browser keeps.

// relative says whether an address is one of the site of the page, written without its host.
func relative(address *value) bool {
	if address == nil || len(address.atoms) == 0 || len(address.objs) > 0 {
		return false
	}
	for _, t := range address.texts() {
		if len(t) < 2 || t[0] != '/' || t[1] == '/' || strings.HasPrefix(t[1:], parties.Gap) {
			return false
		}
	}
	return true
}

// asUser is the answer of a host that is asked with the cookies that the user has there.
func (e *Engine) asUser(f *activation, c call, v *value) *value {
	for _, o := range c.arg(1).orEmpty().objs {
		if with, _ := e.get(f, o, "credentials").constant(); with != "include" {
			continue
		}
		for _, t := range c.arg(0).texts() {
			if h, ok := parties.HostOf(t); ok && h != "*" {
				return v.tainted([]*taint{e.newTaint(f, c.node, srcSiteAnswers, h, "asks "+h+" as its user")})
			}
		}
	}
	return v
}

// mailHost says whether what answers is a mail service that gives mails to programs.
func (e *Engine) mailHost(f *activation, address *value, host string) bool {
	switch host {
	case "gmail.googleapis.com":
		return true
	case "mail.google.com", "www.googleapis.com", "graph.microsoft.com", "outlook.office.com", "outlook.office365.com":
		return slices.ContainsFunc(e.addresses(f, address), func(s string) bool {
			return containsAny(strings.ToLower(s), "/feed/atom", "/gmail/", "/messages", "/mailfolders", "/mail/")
		})
	}
	return false
}

// asksForPassword says whether navigator.credentials.get is asked for a password, not for a passkey.
func asksForPassword(e *Engine, f *activation, options *value) bool {
	return slices.ContainsFunc(options.orEmpty().objs, func(o *object) bool { return e.get(f, o, "password") != nil })
}
