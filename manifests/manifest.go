package manifests

// A Kind says what a package adds to the browser, for display. What it may do is told by the other fields alone.
type Kind string

const (
	KindExtension Kind = "extension"
	KindTheme     Kind = "theme"
	KindApp       Kind = "app"   // Chrome's hosted, packaged and platform apps
	KindOther     Kind = "other" // Firefox dictionaries, language packs
)

// A Manifest is what an extension says about itself in manifest.json: one shape for Manifest V1, V2, V3 and
// WebExtensions. A field whose JSON type is wrong is left empty and named in Problems; nothing is dropped silently.
// Strings are as written: __MSG_…__ stays until Localize.
type Manifest struct {
	Kind            Kind
	ManifestVersion int    // 1, 2 or 3; 0 when absent or not an integer
	Name            string // white space collapsed as Chromium shows it
	ShortName       string
	Version         string // its text when it is a number
	VersionName     string
	Description     string
	Author          string // a string, or the "email" or "name" of an object
	HomepageURL     string
	UpdateURL       string
	Key             string // base64 of the DER public key that the ID is made from
	DefaultLocale   string

	// Permissions and OptionalPermissions hold API names ("cookies"). Hosts and OptionalHosts hold match patterns,
	// from whichever key the manifest's version writes them in: among the permissions in V1 and V2, in host_permissions
	// in V3. Hosts in the other place have no effect in any browser; they are named in Problems.
	Permissions         []string
	OptionalPermissions []string
	Hosts               []string
	OptionalHosts       []string

	ContentScripts        []ContentScript
	Background            Background
	Pages                 []Page
	WebAccessible         []WebAccessible
	ExternallyConnectable *ExternallyConnectable
	RuleFiles             []RuleFile // declarative_net_request.rule_resources
	Commands              []string
	Overrides             []Override
	ContentSecurityPolicy []Policy
	Gecko                 Gecko

	Keys          []string // top-level keys, in order of appearance
	DuplicateKeys []string // paths of keys that were given more than once ("background.scripts"); the last one counts, as in browsers
	Problems      []Problem
}

// A ContentScript is one entry of content_scripts.
type ContentScript struct {
	Matches         []string // match patterns
	ExcludeMatches  []string
	IncludeGlobs    []string
	ExcludeGlobs    []string
	JS, CSS         []string // paths inside the package
	RunAt           string   // document_start, document_end, document_idle; "" when not given
	World           string   // MAIN or ISOLATED; "" when not given
	AllFrames       bool
	MatchAboutBlank bool // match_about_blank or match_origin_as_fallback
}

// Background is the background context: Manifest V2 scripts or page, Manifest V3 service worker.
type Background struct {
	Page          string
	Scripts       []string // also those of a platform app
	ServiceWorker string
	Module        bool // "type": "module"
}

// A Page is an HTML page of the extension that the browser opens by itself.
type Page struct {
	Role string // popup, options, devtools, side_panel, sidebar, newtab, history, bookmarks, sandbox, app
	Path string
}

// WebAccessible is one group of web_accessible_resources. A Manifest V2 list is one group open to all sites; its
// Matches is then "<all_urls>".
type WebAccessible struct {
	Resources    []string
	Matches      []string
	ExtensionIDs []string
}

// ExternallyConnectable says which pages and extensions may send messages to this one.
type ExternallyConnectable struct {
	IDs     []string
	Matches []string
}

// A RuleFile is one static rule set of declarativeNetRequest.
type RuleFile struct {
	ID      string
	Path    string
	Enabled bool
}

// An Override replaces a setting or page of the browser (chrome_settings_overrides, chrome_url_overrides). The pages of
// chrome_url_overrides are among the manifest's Pages too.
type Override struct {
	Setting string // homepage, search_provider, startup_pages, newtab, …
	URL     string
}

// A Policy is one content security policy and the pages it is for.
type Policy struct {
	For   string // extension_pages, sandbox, isolated_world, content_scripts
	Value string
}

// Gecko holds browser_specific_settings.gecko (or applications.gecko).
type Gecko struct {
	ID        string
	UpdateURL string
}
