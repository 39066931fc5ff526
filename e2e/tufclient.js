// A client of a feed that shares no code with ours: tuf-js. It prints the files that it could verify as JSON, or fails.
//   node tufclient.js URL FOLDER FILE...
// FOLDER keeps its metadata between calls and holds root.json at first.
const fs = require('fs')
const path = require('path')
const { Updater } = require('tuf-js')

async function main() {
  const [base, folder, ...names] = process.argv.slice(2)
  const targetDir = fs.mkdtempSync(path.join(folder, 'targets-'))
  const updater = new Updater({
    metadataDir: folder, metadataBaseUrl: base + '/metadata', targetDir, targetBaseUrl: base + '/targets',
    config: { fetchRetry: 0, fetchRetries: 0, fetchTimeout: 5000 },
  })
  await updater.refresh()
  const files = {}
  for (const name of names) {
    const target = await updater.getTargetInfo(name)
    if (!target) continue
    const at = await updater.downloadTarget(target, path.join(targetDir, name.replaceAll('/', '_')))
    files[name] = fs.readFileSync(at, 'utf8')
  }
  console.log(JSON.stringify(files))
}

main().catch((err) => {
  console.error(err.name + ': ' + err.message)
  process.exit(1)
})
