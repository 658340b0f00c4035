"""The providers: `live` is how they are now, `page` what they did as well."""
