// Mozilla User Preferences

user_pref("browser.startup.homepage", "https://private.example.test/");
user_pref("extensions.webextensions.uuids", "{\"newtab@mozilla.org\":\"260ab229-5007-419e-9e45-406e0473a065\",\"policy@extwatch.example\":\"1\",\"gone@mozilla.org\":\"2\",\"temporary@extwatch.example\":\"3\"}");
