"""What a call cost, in integer nano-dollars.

prices                    asked by everyone: who says the price, and what a usage costs by it
configured, catalogue     where tariffs come from: a provider's `prices`, else the price list of the
                          genai-prices package
tariff, premiums          prices of tokens, and what a usage costs by them; what audio, images
                          and searches cost on top
"""
