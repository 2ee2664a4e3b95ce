"""Pictures at full size: corrected, and made small."""
