// Makes out-*.js from plain.js: npm install javascript-obfuscator@5.8.0 && node make.js; and jsfuck.txt (jsfuck package).
const o=require('javascript-obfuscator');const fs=require('fs');
const src=fs.readFileSync('plain.js','utf8');
const sets={
 low:{optionsPreset:'low-obfuscation'},
 medium:{optionsPreset:'medium-obfuscation',stringArrayThreshold:1},
 high:{optionsPreset:'high-obfuscation'},
 rotated:{stringArray:true,stringArrayRotate:true,stringArrayShuffle:true,stringArrayThreshold:1,stringArrayEncoding:['none'],compact:true},
 base64:{stringArray:true,stringArrayThreshold:1,stringArrayEncoding:['base64']},
 rc4:{stringArray:true,stringArrayThreshold:1,stringArrayEncoding:['rc4']},
 mixed:{stringArray:true,stringArrayThreshold:1,stringArrayEncoding:['none','base64','rc4'],stringArrayWrappersCount:3,stringArrayWrappersType:'function',stringArrayWrappersChainedCalls:true,stringArrayIndexShift:true,stringArrayIndexesType:['hexadecimal-number','hexadecimal-numeric-string']},
 wrapvar:{stringArray:true,stringArrayThreshold:1,stringArrayEncoding:['rc4'],stringArrayWrappersCount:2,stringArrayWrappersType:'variable'},
 split:{stringArray:true,stringArrayThreshold:1,splitStrings:true,splitStringsChunkLength:3,stringArrayCallsTransform:true,stringArrayCallsTransformThreshold:1},
 flat:{stringArray:true,stringArrayThreshold:1,controlFlowFlattening:true,controlFlowFlatteningThreshold:1,deadCodeInjection:true,deadCodeInjectionThreshold:1,stringArrayEncoding:['base64'],transformObjectKeys:true,numbersToExpressions:true},
 selfdef:{stringArray:true,stringArrayThreshold:1,selfDefending:true,compact:true,disableConsoleOutput:true,debugProtection:true,unicodeEscapeSequence:true},
 calls:{stringArray:true,stringArrayThreshold:1,stringArrayCallsTransform:true,stringArrayCallsTransformThreshold:1,stringArrayEncoding:['rc4'],stringArrayWrappersCount:3,stringArrayWrappersType:'function',stringArrayWrappersParametersMaxCount:5,numbersToExpressions:true,transformObjectKeys:true,splitStrings:true,splitStringsChunkLength:5},
 norotate:{stringArray:true,stringArrayThreshold:1,stringArrayRotate:false,stringArrayShuffle:false,identifierNamesGenerator:'mangled',renameGlobals:true},
};
for(const [k,v] of Object.entries(sets)){const r=o.obfuscate(src,{seed:7,...v});fs.writeFileSync('out-'+k+'.js',r.getObfuscatedCode()+'\n');}
fs.writeFileSync("jsfuck.txt", require("jsfuck").JSFuck.encode("use(\"https://collect.example/x\")", true) + "\n");
