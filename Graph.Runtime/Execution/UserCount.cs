namespace Graphene.Runtime;

/// <summary>
/// Who uses something that is freed when the last one lets go: its owner, until it is closed, and
/// whoever entered before.
/// </summary>
internal sealed class UserCount
{
    private int _users = 1;
    private int _closed;

    /// <summary>Whether the owner has closed it.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>Counts one more user.</summary>
    /// <param name="owner">What is used, for the message.</param>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public void Enter(object owner)
    {
        int users;
        do
        {
            users = Volatile.Read(ref _users);
            ObjectDisposedException.ThrowIf(users == 0 || IsClosed, owner);
        }
        while (Interlocked.CompareExchange(ref _users, users + 1, users) != users);
    }

    /// <summary>Counts one more on behalf of a present user, so that it need not be asked whether it is closed.</summary>
    public void EnterAgain() => Interlocked.Increment(ref _users);

    /// <summary>Lets go.</summary>
    /// <returns>Whether that was the last user, who frees what is used.</returns>
    public bool Leave() => Interlocked.Decrement(ref _users) == 0;

    /// <summary>Closes it; the owner is a user until it leaves.</summary>
    /// <returns>Whether it was open.</returns>
    public bool Close() => Interlocked.Exchange(ref _closed, 1) == 0;
}
