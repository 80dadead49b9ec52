namespace Graphene.Runtime;

/// <summary>Constants that are compared with their hash while their file's plans and code are read.</summary>
/// <param name="hash">Their hash, which is being computed; they must stay in memory until <see cref="Holds"/> was asked.</param>
/// <param name="expected">What it must be.</param>
internal sealed class ConstantCheck(PendingHash hash, byte[] expected)
{
    private bool? _holds;

    /// <summary>Whether they are what they were. Waits the first time; no thread reads them afterwards.</summary>
    public bool Holds => _holds ??= SectionHash.AreEqual(hash.End(), expected);

    /// <summary>Whether other threads work on it.</summary>
    public bool HasHelpers => hash.HasHelpers;

    /// <summary>What to throw when they are not.</summary>
    public static InvalidDataException Damaged() => new("its constants are damaged: their hash differs");

    /// <summary>Objects to constants that are not what they were.</summary>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public void Require()
    {
        if (!Holds)
        {
            throw Damaged();
        }
    }
}
