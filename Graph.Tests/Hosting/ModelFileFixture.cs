using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>Tests that begin with a bundle of version two in a folder of its own.</summary>
internal abstract class ModelFileFixture : FolderFixture
{
    /// <summary>The bundle, which tests replace.</summary>
    protected string Bundle => Folder.Combine("model.graphene");

    [SetUp]
    public void WriteBundle() => File.WriteAllBytes(Bundle, ScaleBundles.Two);
}
