package manifests

// contentScripts reads what is injected into pages.
func (p *parser) contentScripts(top object) {
	for _, e := range p.list(top, "content_scripts") {
		o := p.asObject(e.path(), e.Result)
		if o.members == nil {
			continue
		}
		// Both flags are read, so that a wrong type in either is noted.
		blank, fallback := p.flag(o, "match_about_blank"), p.flag(o, "match_origin_as_fallback")
		p.m.ContentScripts = append(p.m.ContentScripts, ContentScript{
			Matches:         p.patterns(o, "matches"),
			ExcludeMatches:  p.patterns(o, "exclude_matches"),
			IncludeGlobs:    p.texts(o, "include_globs"),
			ExcludeGlobs:    p.texts(o, "exclude_globs"),
			JS:              p.texts(o, "js"),
			CSS:             p.texts(o, "css"),
			RunAt:           p.text(o, "run_at"),
			World:           p.text(o, "world"),
			AllFrames:       p.flag(o, "all_frames"),
			MatchAboutBlank: blank || fallback,
		})
	}
}

// background reads the background context: of an extension, of Manifest V1, or of a platform app.
func (p *parser) background(top object) {
	o := p.object(top, "background")
	b := Background{
		Page:          p.text(o, "page"),
		Scripts:       p.texts(o, "scripts"),
		ServiceWorker: p.text(o, "service_worker"),
		Module:        p.text(o, "type") == "module",
	}
	if page := p.text(top, "background_page"); b.Page == "" {
		b.Page = page // Manifest V1
	}
	app := p.object(p.object(top, "app"), "background")
	b.Scripts = append(b.Scripts, p.texts(app, "scripts")...)
	if page := p.text(app, "page"); b.Page == "" {
		b.Page = page
	}
	p.m.Background = b
}

// pages reads the HTML pages that the browser opens by itself.
func (p *parser) pages(top object) {
	add := func(role, path string) {
		if path != "" {
			p.m.Pages = append(p.m.Pages, Page{Role: role, Path: path})
		}
	}
	for _, key := range []string{"action", "browser_action", "page_action"} {
		o := p.object(top, key)
		add("popup", p.text(o, "default_popup"))
		add("popup", p.text(o, "popup")) // its name in Manifest V1
	}
	add("options", p.text(top, "options_page"))
	add("options", p.text(p.object(top, "options_ui"), "page"))
	add("devtools", p.text(top, "devtools_page"))
	add("side_panel", p.text(p.object(top, "side_panel"), "default_path"))
	add("sidebar", p.text(p.object(top, "sidebar_action"), "default_panel"))

	pages := p.object(top, "chrome_url_overrides")
	for _, name := range p.keys(pages) {
		path := p.text(pages, name)
		add(name, path)
		p.override(name, path)
	}
	for _, path := range p.texts(p.object(top, "sandbox"), "pages") {
		add("sandbox", path)
	}
	launch := p.object(p.object(top, "app"), "launch")
	add("app", p.text(launch, "local_path"))
	add("app", p.text(launch, "web_url"))
}

// overrides reads which settings of the browser are replaced. Pages are read by pages.
func (p *parser) overrides(top object) {
	o := p.object(top, "chrome_settings_overrides")
	p.override("homepage", p.text(o, "homepage"))
	search := p.object(o, "search_provider")
	p.override("search_provider", p.text(search, "search_url"))
	p.override("search_suggestions", p.text(search, "suggest_url"))
	for _, url := range p.texts(o, "startup_pages") {
		p.override("startup_pages", url)
	}
}

func (p *parser) override(setting, url string) {
	if url != "" {
		p.m.Overrides = append(p.m.Overrides, Override{Setting: setting, URL: url})
	}
}

// rules reads the static rule sets of declarativeNetRequest and the keyboard commands.
func (p *parser) rules(top object) {
	for _, e := range p.list(p.object(top, "declarative_net_request"), "rule_resources") {
		o := p.asObject(e.path(), e.Result)
		if o.members == nil {
			continue
		}
		p.m.RuleFiles = append(p.m.RuleFiles, RuleFile{
			ID: p.text(o, "id"), Path: p.text(o, "path"), Enabled: p.flag(o, "enabled"),
		})
	}
	commands := p.object(top, "commands")
	p.m.Commands = p.keys(commands)
	for _, name := range p.m.Commands {
		p.object(commands, name) // only its type matters
	}
}
