VALUE = "never imported"
