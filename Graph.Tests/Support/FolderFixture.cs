using NUnit.Framework;

namespace Graphene.Tests.Support;

/// <summary>A fixture whose tests have a folder each, which is there before their own set-up and deleted after the test.</summary>
public abstract class FolderFixture : IDisposable
{
    private TemporaryFolder? _folder;

    /// <summary>The folder of the test that runs.</summary>
    private protected TemporaryFolder Folder => _folder!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public virtual void Dispose()
    {
        _folder?.Dispose();
        GC.SuppressFinalize(this);
    }
}
