"""The tools of an extension's author: the command `extension-sdk`. Nothing of it goes into a component."""
