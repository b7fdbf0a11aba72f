namespace "dev"
{
}
