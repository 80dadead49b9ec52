using System.Diagnostics.CodeAnalysis;

namespace Graphene.Runtime;

/// <summary>Orders the runs over the same variables: those that assign happen alone, those that only read happen together.</summary>
/// <param name="owner">Whose variables they are, for messages.</param>
[SuppressMessage("Design", "CA1001", Justification = "a run that is late must find a gate that is closed, not one that is gone")]
internal sealed class VariableGate(Type owner)
{
    private const int LookForCancellationMilliseconds = 10;
    private readonly ReaderWriterLockSlim _gate = new();
    private bool _closed; // written with the gate held for writing

    /// <summary>Waits until variables may be used.</summary>
    /// <param name="assigns">Whether they will be assigned, which happens alone, or only read.</param>
    /// <param name="cancellation">Stops waiting: the run before may be a long one.</param>
    /// <exception cref="OperationCanceledException">The token was raised.</exception>
    /// <exception cref="ObjectDisposedException">Their owner was disposed.</exception>
    public void Enter(bool assigns, CancellationToken cancellation)
    {
        while (!(assigns
            ? _gate.TryEnterWriteLock(LookForCancellationMilliseconds)
            : _gate.TryEnterReadLock(LookForCancellationMilliseconds)))
        {
            cancellation.ThrowIfCancellationRequested();
        }
        if (_closed)
        {
            Exit(assigns);
            throw new ObjectDisposedException(owner.Name);
        }
    }

    /// <summary>Ends what <see cref="Enter"/> began.</summary>
    public void Exit(bool assigns)
    {
        if (assigns)
        {
            _gate.ExitWriteLock();
        }
        else
        {
            _gate.ExitReadLock();
        }
    }

    /// <summary>Lets nobody in any more, and frees the variables when the runs that use them have ended.</summary>
    /// <param name="free">Frees them; called once.</param>
    public void Close(Action free)
    {
        _gate.EnterWriteLock();
        try
        {
            if (!_closed)
            {
                _closed = true;
                free();
            }
        }
        finally
        {
            _gate.ExitWriteLock();
        }
    }
}
