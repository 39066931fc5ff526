// Package settings says how the agent is to behave: the file that an admin writes, and what the organisation's own tools
// (group policy, device management) put above it.
//
// Each setting is one Option: a key, a kind, what it means and its built-in value. The table of options is all there is
// to know; the file format, the policy keys, `extwatch run --print-config` and the documents follow from it.
//
// Later places win: built-in values, the file, the *.yml files of the folder conf.d beside it in the order of their
// names, and what is managed: HKLM\SOFTWARE\Policies\ExtWatch on Windows, the managed preferences of com.extwatch.agent
// on macOS. A mistake in any of them is reported with its place, and the settings that were valid before stay.
package settings

import (
	"slices"
	"strings"
	"time"
)

// Settings are all settings with their values.
type Settings struct {
	LogLevel string        // debug, info, warn, error
	Sweep    time.Duration // between two checks of everything
	Code     bool          // what the code of extensions does is analysed

	Notify   Notify
	Block    Block
	Outputs  Outputs
	Feed     Feed
	Keep     Keep
	Language string // of warnings: "auto", or a language tag

	DashboardPort int  // 0 is any free one
	Dashboard     bool // the local page is served

	from map[string]string // where a key was set, if it was
}

// Notify says which warnings are shown to people.
type Notify struct {
	Desktop bool
	Level   string // suspicious, malicious: the least verdict that is shown
}

// Block says who may block an extension.
type Block struct {
	Automatic bool // malicious ones are blocked at once
	ByUsers   bool // the button in a warning blocks, without an administrator's password
}

// Outputs are the systems that are told. All are off until they are set.
type Outputs struct {
	Syslog        string // udp://host:514, tcp://host:601, tls://host:6514, unix:///dev/log
	Journal       bool   // fields for systemd's journal
	EventLog      bool   // Windows Event Log
	Webhook       string // https URL
	WebhookSecret string // path of a file that holds the key of the signature
	Proxy         string // http URL through which the webhook is reached
	CA            string // path of a file of PEM certificates
	File          string // path of a file of JSON lines, or its name in the service's folder for logs
	Schema        string // of File and Webhook: plain, ecs, ocsf
}

// Feed says where signed rules come from. There are only the built-in ones until Mirrors are set.
type Feed struct {
	Mirrors string // URLs and folders, parted by spaces or commas
	Root    string // path of the root.json that is trusted; "" is DefaultRoot
	Poll    time.Duration
	Events  bool   // mirrors may tell at once that there is something new
	Proxy   string // http URL through which mirrors are reached; "none" takes none, "" the environment's
	CA      string // path of a file of PEM certificates
}

// Addresses returns the mirrors one by one.
func (f Feed) Addresses() []string {
	return strings.FieldsFunc(f.Mirrors, func(r rune) bool { return r == ' ' || r == ',' })
}

// Network reports whether another machine is asked. Shares that the system has mounted need no network of the service's.
func (f Feed) Network() bool {
	return slices.ContainsFunc(f.Addresses(), func(a string) bool { return strings.HasPrefix(a, "https://") })
}

// Keep bounds what is remembered.
type Keep struct {
	Timeline time.Duration // findings and decisions are kept five times as long
	Bytes    int64
}

// Network reports whether another machine is told.
func (o Outputs) Network() bool {
	return o.Webhook != "" || o.Syslog != "" && !strings.HasPrefix(o.Syslog, "unix:")
}

// From returns where a key was set: "FILE:LINE", "policy", or "" for its built-in value.
func (s Settings) From(key string) string { return s.from[key] }

// A Kind is the type of a setting's value.
type Kind string

// The kinds of settings.
const (
	Bool     Kind = "bool"
	Text     Kind = "text"
	Choice   Kind = "choice"
	Number   Kind = "number"
	Duration Kind = "duration" // 90s, 15m, 12h, 400d
	Size     Kind = "size"     // 64MB, 2GB
)

// An Option describes one setting.
type Option struct {
	Key      string // dots part the levels of the file: "outputs.webhook.url"
	Kind     Kind
	Built    string // the built-in value, as text
	Help     string // one sentence
	Choices  []string
	Min, Max int64 // of Number, Duration (seconds) and Size (bytes)

	set   func(*Settings, any)
	check func(string) error
}

// Options returns all settings in the order of the documents.
func Options() []Option {
	day := int64(24 * 3600)
	return []Option{
		{Key: "log.level", Kind: Choice, Built: "info", Choices: []string{"debug", "info", "warn", "error"},
			Help: "What the service's log holds.", set: func(s *Settings, v any) { s.LogLevel = v.(string) }},
		{Key: "scan.sweep", Kind: Duration, Built: "1h", Min: 60, Max: day,
			Help: "Time between two checks of everything; changes are seen at once regardless.", set: func(s *Settings, v any) { s.Sweep = v.(time.Duration) }},
		{Key: "scan.code", Kind: Bool, Built: "true",
			Help: "Whether the code of extensions is analysed, not only their manifests and hashes.", set: func(s *Settings, v any) { s.Code = v.(bool) }},
		{Key: "notify.desktop", Kind: Bool, Built: "true",
			Help: "Whether people are warned on their screens.", set: func(s *Settings, v any) { s.Notify.Desktop = v.(bool) }},
		{Key: "notify.level", Kind: Choice, Built: "suspicious", Choices: []string{"suspicious", "malicious"},
			Help: "The least verdict that is shown to people.", set: func(s *Settings, v any) { s.Notify.Level = v.(string) }},
		{Key: "notify.language", Kind: Choice, Built: "auto", Choices: []string{"auto", "en", "zh-CN"},
			Help: "The language of warnings; auto takes the user's own.", set: func(s *Settings, v any) { s.Language = v.(string) }},
		{Key: "block.automatic", Kind: Bool, Built: "false",
			Help: "Whether malicious extensions are blocked without asking; suspicious ones never are.", set: func(s *Settings, v any) { s.Block.Automatic = v.(bool) }},
		{Key: "block.by_users", Kind: Bool, Built: "true",
			Help: "Whether the button in a warning blocks without an administrator.", set: func(s *Settings, v any) { s.Block.ByUsers = v.(bool) }},
		{Key: "dashboard.enabled", Kind: Bool, Built: "true",
			Help: "Whether the local page is served, on this computer only.", set: func(s *Settings, v any) { s.Dashboard = v.(bool) }},
		{Key: "dashboard.port", Kind: Number, Built: "0", Max: 65535,
			Help: "The port of the local page; 0 is any free one.", set: func(s *Settings, v any) { s.DashboardPort = int(v.(int64)) }},
		{Key: "outputs.syslog", Kind: Text, check: syslogAddress,
			Help: "Where findings are sent as RFC 5424: udp://HOST:PORT, tcp://, tls:// or unix:///PATH.", set: func(s *Settings, v any) { s.Outputs.Syslog = v.(string) }},
		{Key: "outputs.journal", Kind: Bool, Built: "false",
			Help: "Whether findings go to systemd's journal with fields of their own.", set: func(s *Settings, v any) { s.Outputs.Journal = v.(bool) }},
		{Key: "outputs.event_log", Kind: Bool, Built: "false",
			Help: "Whether findings go to the Windows Event Log.", set: func(s *Settings, v any) { s.Outputs.EventLog = v.(bool) }},
		{Key: "outputs.webhook.url", Kind: Text, check: webhookURL,
			Help: "Where findings are posted, as an https URL.", set: func(s *Settings, v any) { s.Outputs.Webhook = v.(string) }},
		{Key: "outputs.webhook.secret_file", Kind: Text, check: absolute,
			Help: "The file that holds the key of the webhook's HMAC-SHA256 signature.", set: func(s *Settings, v any) { s.Outputs.WebhookSecret = v.(string) }},
		{Key: "outputs.webhook.proxy", Kind: Text, check: proxyURL,
			Help: "The proxy through which the webhook is reached, as http://HOST:PORT.", set: func(s *Settings, v any) { s.Outputs.Proxy = v.(string) }},
		{Key: "outputs.ca_file", Kind: Text, check: absolute,
			Help: "A file of PEM certificates that the webhook and tls:// trust beside the system's.", set: func(s *Settings, v any) { s.Outputs.CA = v.(string) }},
		{Key: "outputs.file", Kind: Text, check: logFile,
			Help: "A file that gets one line of JSON for each event: a name in the service's folder for logs, or an absolute path.", set: func(s *Settings, v any) { s.Outputs.File = v.(string) }},
		{Key: "outputs.schema", Kind: Choice, Built: "plain", Choices: []string{"plain", "ecs", "ocsf"},
			Help: "The shape of that JSON and of the webhook's.", set: func(s *Settings, v any) { s.Outputs.Schema = v.(string) }},
		{Key: "feed.mirrors", Kind: Text, check: mirrors,
			Help: "Where signed rules are fetched: https URLs or folders, parted by spaces; none: the built-in rules only.", set: func(s *Settings, v any) { s.Feed.Mirrors = v.(string) }},
		{Key: "feed.root", Kind: Text, check: absolute,
			Help: "The root.json that says whose signatures are trusted; without it, root.json beside the settings.", set: func(s *Settings, v any) { s.Feed.Root = v.(string) }},
		{Key: "feed.poll", Kind: Duration, Built: "15m", Min: 10, Max: day,
			Help: "Time between two looks at the mirrors.", set: func(s *Settings, v any) { s.Feed.Poll = v.(time.Duration) }},
		{Key: "feed.events", Kind: Bool, Built: "true",
			Help: "Whether a mirror that can may tell at once that there is something new.", set: func(s *Settings, v any) { s.Feed.Events = v.(bool) }},
		{Key: "feed.proxy", Kind: Text, check: feedProxy,
			Help: "The proxy through which mirrors are reached, as http://HOST:PORT, or none; without it, the environment's.", set: func(s *Settings, v any) { s.Feed.Proxy = v.(string) }},
		{Key: "feed.ca_file", Kind: Text, check: absolute,
			Help: "A file of PEM certificates that mirrors are trusted by, beside the system's.", set: func(s *Settings, v any) { s.Feed.CA = v.(string) }},
		{Key: "keep.timeline", Kind: Duration, Built: "90d", Min: day, Max: 3660 * day,
			Help: "How long the timeline reaches back; findings and decisions are kept five times as long.", set: func(s *Settings, v any) { s.Keep.Timeline = v.(time.Duration) }},
		{Key: "keep.size", Kind: Size, Built: "256MB", Min: 16 << 20, Max: 16 << 30,
			Help: "How large the store may become; the oldest goes first.", set: func(s *Settings, v any) { s.Keep.Bytes = v.(int64) }},
	}
}

// Default returns the built-in settings.
func Default() Settings {
	s := Settings{from: map[string]string{}}
	for _, o := range Options() {
		v, err := o.parse(o.Built)
		if err == nil { // always: a test holds the table to it
			o.set(&s, v)
		}
	}
	return s
}

// PolicyName is a setting's name below the policy key on Windows and in macOS's managed preferences: "OutputsWebhookUrl".
func (o Option) PolicyName() string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(o.Key, func(r rune) bool { return r == '.' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
