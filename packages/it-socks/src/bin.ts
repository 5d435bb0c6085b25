#!/usr/bin/env node
import { main } from './main.ts'

// What may still keep Node alive, a name that takes long to resolve for example, is of no use any more.
process.exit(await main(process.argv.slice(2)))
