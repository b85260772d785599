"""The central service: intake, screening, risk, referrals, officers, administrators, audit."""
