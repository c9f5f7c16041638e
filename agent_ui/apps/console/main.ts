import { mount } from 'svelte'
import { locale, setLocale } from '../../i18n/index.svelte'
import { setTheme, theme } from '../../ui/theme.svelte'
import '../../ui/base.css'
import App from './App.svelte'

setLocale(locale())
setTheme(theme())

const target = document.getElementById('app')
if (target) mount(App, { target })
