# Commits what is in the library.
cd library
git add -A
git -c user.name=tester -c user.email=tester@localhost commit -qm change
