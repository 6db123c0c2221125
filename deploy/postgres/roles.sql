-- The two log-ins of the product and its database. Run once by a superuser, on PostgreSQL 18 or newer:
--   PROE_OWNER_PASSWORD=… PROE_APP_PASSWORD=… psql -X -v ON_ERROR_STOP=1 -f roles.sql postgres
-- Running it again changes nothing but the passwords.
-- proe_owner owns every schema and table and makes the role of each tenant; only `migrate` logs in as it.
-- proe_app is what the site and its workers log in as: it owns nothing and, being NOINHERIT, can do nothing
-- until it takes the role of one tenant.
\getenv owner_password PROE_OWNER_PASSWORD
\getenv app_password PROE_APP_PASSWORD

SELECT 'CREATE ROLE proe_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'proe_owner') \gexec
SELECT 'CREATE ROLE proe_app' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'proe_app') \gexec
ALTER ROLE proe_owner LOGIN CREATEROLE NOSUPERUSER PASSWORD :'owner_password';
ALTER ROLE proe_app LOGIN NOINHERIT NOCREATEROLE NOCREATEDB NOSUPERUSER PASSWORD :'app_password';

-- The built-in C.UTF-8 sorts the same on every machine and C library, so an index never goes stale by an upgrade.
SELECT $$CREATE DATABASE proe OWNER proe_owner TEMPLATE template0 ENCODING 'UTF8'
         LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'$$
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'proe') \gexec

REVOKE ALL ON DATABASE proe FROM PUBLIC;
GRANT CONNECT ON DATABASE proe TO proe_app;

\connect proe
ALTER SCHEMA public OWNER TO proe_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
