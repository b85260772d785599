"""The administrator's pages: today, rules, kiosks, people, audit, figures."""
